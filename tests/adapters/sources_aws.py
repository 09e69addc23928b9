"""Recordings of AWS, served as its services speak: pricing and savings plans in JSON, EC2 in XML.

The recordings of EC2 are in JSON, as boto3 reads them; the XML is made from botocore's own
description of the answer.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from loopback import RECORDINGS, Reply, recorded
from source import Source

REFUSED = "eu-south-2"
"""A region that the account has not turned on."""
XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"


def region_of(request):
    """Of the signature: `Credential=…/20261120/us-east-1/ec2/aws4_request`."""
    found = re.search(r"Credential=[^/]+/\d+/([^/]+)/", request.headers.get("authorization", ""))
    return found[1] if found else ""


def ec2_error(code, message, status):
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error></Errors><RequestID>ea966190</RequestID></Response>"
    )
    return Reply(body.encode(), status, {"Content-Type": "text/xml;charset=UTF-8"})


@cache
def ec2():
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("ec2", "service-2"), "ec2")


def ec2_xml(operation, document):
    """The answer boto3 reads as `document`."""
    shape = ec2().operation_model(operation).output_shape
    inside = "<requestId>59dbff89-35bd</requestId>" + _members(shape, document)
    body = f'<{operation}Response xmlns="{XMLNS}">{inside}</{operation}Response>'
    return Reply(body.encode(), headers={"Content-Type": "text/xml;charset=UTF-8"})


def _members(shape, values):
    found = ""
    for name, value in values.items():
        member = shape.members[name]
        tag = member.serialization.get("name", name)
        found += f"<{tag}>{_inside(member, value)}</{tag}>"
    return found


def _inside(shape, value):
    if shape.type_name == "structure":
        return _members(shape, value)
    if shape.type_name == "list":
        return "".join(f"<item>{_inside(shape.member, item)}</item>" for item in value)
    return escape(json.dumps(value) if isinstance(value, bool) else str(value))


def _form(request):
    """Fields of a query request; those of lists are named like `InstanceType.1`."""
    from urllib.parse import parse_qsl

    return dict(parse_qsl(request.body.decode()))


def _page(folder, kind, region, token):
    name = f"{folder}/{kind}.{region}.{2 if token else 1}.json"
    return name if (RECORDINGS / name).exists() else ""


def services(folder):
    """What answers at `/`: the price list and EC2, which their requests tell apart."""

    def answer(request):
        if "x-amz-target" in request.headers:
            asked = request.json
            wanted = {entry["Field"]: entry["Value"] for entry in asked["Filters"]}
            assert wanted["operatingSystem"] == "Linux"
            found = _page(folder, "products", wanted["regionCode"], asked.get("NextToken"))
            return found or Reply({"FormatVersion": "aws_v1", "PriceList": []})
        form, region = _form(request), region_of(request)
        if region == REFUSED:
            said = "AWS was not able to validate the provided access credentials"
            return ec2_error("AuthFailure", said, 401)
        return _ec2(folder, form, region)

    return answer


def _ec2(folder, form, region):
    operation = form["Action"]
    if operation == "DescribeInstanceTypes":
        assert form["Filter.1.Name"] == "instance-type"
        name = f"{folder}/types.{region}.json"
        found = {"InstanceTypes": []}
    elif operation == "DescribeSpotPriceHistory":
        assert form["StartTime"]
        name = _page(folder, "spot", region, form.get("NextToken"))
        found = {"SpotPriceHistory": [], "NextToken": ""}
    else:
        name, found = f"{folder}/blocks.{region}.json", {"CapacityBlockOfferings": []}
    if name and Path(RECORDINGS / name).exists():
        found = json.loads(recorded(name))
    if operation == "DescribeCapacityBlockOfferings":
        kind, hours = form["InstanceType"], int(form["CapacityDurationHours"])
        if kind.startswith("p6-") and hours > 168:
            said = f"The requested duration of {hours} hours is not supported for {kind}"
            return ec2_error("InvalidParameterValue", said, 400)
        found["CapacityBlockOfferings"] = [
            row
            for row in found["CapacityBlockOfferings"]
            if (row["InstanceType"], row["CapacityBlockDurationHours"]) == (kind, hours)
        ]
    return ec2_xml(operation, found)


def plans(folder):
    def answer(request):
        asked = request.json
        wanted = {entry["name"]: entry["values"] for entry in asked["filters"]}
        found = _page(folder, "plans", wanted["region"][0], asked.get("nextToken"))
        return found or Reply({"searchResults": []})

    return answer


def bulk_files(folder, part, regions):
    """The two indexes and the file of each region; no credential is asked for."""
    version = f"/offers/v1.0/{part}/AmazonEC2/20261102172032"
    return {
        f"/offers/v1.0/{part}/index.json": f"{folder}/bulk/index.json",
        f"/offers/v1.0/{part}/AmazonEC2/current/region_index.json": (
            f"{folder}/bulk/region_index.json"
        ),
        **{f"{version}/{name}/index.csv": f"{folder}/bulk/{name}.csv" for name in regions},
    }


AWS_REGIONS = ("us-east-1", "us-east-2", REFUSED)
AWS = {
    "aws": Source(
        {
            "/": services("aws"),
            "/DescribeSavingsPlansOfferingRates": plans("aws"),
            "/spot-advisor-data.json": "aws/spot_advisor.json",
            **bulk_files("aws", "aws", AWS_REGIONS),
        },
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        regions=AWS_REGIONS,
        optional=True,
        pages=3,
        repeats="aws/products.us-east-1.1.json",
        lists=True,
    ),
    "aws_china": Source(
        {
            "/": services("aws_china"),
            "/DescribeSavingsPlansOfferingRates": plans("aws_china"),
            **bulk_files("aws_china", "cn", ("cn-northwest-1",)),
        },
        ("AWS_CHINA_ACCESS_KEY_ID", "AWS_CHINA_SECRET_ACCESS_KEY"),
        regions=("cn-northwest-1",),
        optional=True,
        repeats="aws_china/products.cn-northwest-1.1.json",
        lists=True,
    ),
}
