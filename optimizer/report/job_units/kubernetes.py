"""A CronJob, and the volume of its store."""

from __future__ import annotations

import json

from optimizer.report.job_units.job import (
    CATCH_UP_HOURS,
    NAME,
    TIMEOUT_MINUTES,
    RefreshJob,
    whole_paths,
)

_MOUNT = "/var/lib/rentopt"
_USER_ID = 65532
_FILE = "rentopt-cronjob.yaml"


def manifests(job: RefreshJob) -> dict[str, str]:
    """For ``kubectl apply``; keys are in the Secret ``rentopt-keys``, settings in a ConfigMap."""
    whole_paths("Kubernetes", store=job.store, metrics_file=job.metrics)
    mount = _MOUNT if job.on_server or not job.store else job.folder
    command = json.dumps([job.command, *job.arguments(mount)])
    keys = job.keys or "keys.env"
    volume = (
        "emptyDir: {}" if job.on_server else f"persistentVolumeClaim: {{claimName: {NAME}-store}}"
    )
    where = "in the PostgreSQL server" if job.on_server else "in a SQLite file on its own volume"
    text = f"""\
# rentopt: renew the prices {job.said}.
# The store is {where}.
# Keys:      kubectl create secret generic rentopt-keys --from-env-file={keys}
# Settings:  kubectl create configmap rentopt-config --from-file=config.toml
# Install:   kubectl apply -f {_FILE}
# Try it:    kubectl create job --from=cronjob/{NAME} {NAME}-now
# Needs Kubernetes 1.27 or newer (timeZone).
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {NAME}
  labels:
    app.kubernetes.io/name: rentopt
    app.kubernetes.io/component: refresh
spec:
  schedule: "{job.cron}"
  timeZone: {json.dumps(job.zone)}
  concurrencyPolicy: Forbid
  # A night missed is made up for within {CATCH_UP_HOURS} hours.
  startingDeadlineSeconds: {CATCH_UP_HOURS * 3600}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
      # The refresh tries again by itself; a second job would find the same sources down.
      backoffLimit: 0
      activeDeadlineSeconds: {TIMEOUT_MINUTES * 60}
      template:
        metadata:
          labels:
            app.kubernetes.io/name: rentopt
            app.kubernetes.io/component: refresh
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          enableServiceLinks: false
          terminationGracePeriodSeconds: 60
          securityContext:
            runAsNonRoot: true
            runAsUser: {_USER_ID}
            runAsGroup: {_USER_ID}
            fsGroup: {_USER_ID}
            fsGroupChangePolicy: OnRootMismatch
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: refresh
              image: {json.dumps(job.image)}
              command: {command}
              env:
                - {{name: HOME, value: /tmp}}
                - {{name: XDG_DATA_HOME, value: /var/lib}}
                - {{name: XDG_CONFIG_HOME, value: /etc}}
              envFrom:
                - secretRef:
                    name: rentopt-keys
                    optional: true
              resources:
                requests: {{cpu: 100m, memory: 256Mi}}
                limits: {{memory: 1Gi}}
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              volumeMounts:
                - {{name: store, mountPath: {json.dumps(mount)}}}
                - {{name: config, mountPath: /etc/rentopt, readOnly: true}}
                - {{name: tmp, mountPath: /tmp}}
          volumes:
            - name: store
              {volume}
            - name: config
              configMap: {{name: rentopt-config, optional: true}}
            - name: tmp
              emptyDir: {{sizeLimit: 1Gi}}
"""
    if not job.on_server:
        text += f"""\
---
# One machine at a time, and no network file system: SQLite needs locks that hold.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {NAME}-store
  labels:
    app.kubernetes.io/name: rentopt
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 5Gi
"""
    return {_FILE: text}
