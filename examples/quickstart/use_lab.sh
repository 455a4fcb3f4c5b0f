.venv/bin/python examples/s3_gateway_endpoint/create_sandbox.py --bucket amzn-s3-demo-bucket-111122223333
.venv/bin/python examples/s3_gateway_endpoint/audit_route_tables.py
