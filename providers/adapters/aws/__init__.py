"""Amazon Web Services: EC2 machines with GPUs, and the separate AWS of China."""
