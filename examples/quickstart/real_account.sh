export AWS_DEFAULT_REGION=ap-northeast-1
.venv/bin/python examples/s3_gateway_endpoint/audit_route_tables.py
