cd examples/sagemaker_cli
./script.sh role-create
./script.sh notebook-create my-notebook --wait
./script.sh notebook-describe my-notebook
./script.sh status
./script.sh notebook-stop my-notebook --wait
./script.sh notebook-delete my-notebook --yes --wait
./script.sh role-delete --yes
