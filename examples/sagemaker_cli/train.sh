python examples/xgboost/write_data.py --folder data
cd examples/sagemaker_cli
B=amzn-s3-demo-bucket-111122223333
aws s3 mb s3://$B
aws s3 cp --no-progress ../../data/binary/train.csv s3://$B/training/
./script.sh role-create --bucket $B
./script.sh images xgboost
IMAGE=354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0
./script.sh training-create churn-1 $IMAGE s3://$B/training s3://$B/output --content-type text/csv --hyperparameter objective=binary:logistic --hyperparameter num_round=10 --wait
./script.sh training-describe churn-1 --query '[TrainingJobStatus, ModelArtifacts.S3ModelArtifacts]' --output text
./script.sh training-logs churn-1 --tail 3
./script.sh training-list --status Completed
./script.sh status
./script.sh role-delete --yes
aws s3 rb s3://$B --force
