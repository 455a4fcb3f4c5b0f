python examples/xgboost/write_data.py --folder data
cd examples/sagemaker_cli
B=amzn-s3-demo-bucket-111122223333
aws s3 mb s3://$B
aws s3 cp --no-progress ../../data/binary/train.csv s3://$B/training/
./script.sh role-create --bucket $B
IMAGE=354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0
./script.sh training-create churn-1 $IMAGE s3://$B/training s3://$B/output --content-type text/csv --hyperparameter objective=binary:logistic --hyperparameter num_round=10 --wait
./script.sh model-create churn-v1 $IMAGE s3://$B/output/churn-1/output/model.tar.gz
./script.sh endpoint-config-create churn-v1 churn-v1 ml.m5.large 1
./script.sh endpoint-create churn churn-v1 --wait
head -n 1 ../../data/binary/train.csv | cut -d, -f2- > payload.csv
./script.sh endpoint-invoke churn @payload.csv --content-type text/csv
./script.sh endpoint-describe churn
./script.sh endpoint-delete churn --with-config --with-model --yes --wait
./script.sh status
./script.sh role-delete --yes
aws s3 rb s3://$B --force
