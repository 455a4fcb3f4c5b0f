"""What SageMaker's training toolkit does inside of an image, for a script of the user.

The toolkit itself (`sagemaker-training`, 193 MB with a C extension) is not installed: the lab
imitates its contract. It fetches the code, tells the script everything by variables `SM_…` and by
arguments, and says in its own words how the script has failed.
"""

import json
import os
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awslab import objects
from awslab.services.sagemaker.container import Container, Failure, listed

CODE = "/opt/ml/code"
CONFIG = "/opt/ml/input/config"
RESERVED = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_region",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_s3_output",
    "default_user_module_name",
    "_tuning_objective_metric",
)
NO_ENTRY_POINT = (
    "entry point name is empty. Set the 'sagemaker_program' hyperparameter (or ContainerEntrypoint)"
)
NOT_INSTALLED = (
    "requirements.txt is not installed: the script has the packages that the lab's own Python has."
)
PYTHON_ERROR = re.compile(r"([\w.]+\.)?\w*(Error|Exception|Interrupt|Exit)(:|$)")
CODE_NOT_FOUND = (
    "AlgorithmError: framework error: \nbotocore.exceptions.ClientError: An error occurred (404) "
    "when calling the HeadObject operation: Not Found, exit code: 1"
)
COMMAND = "Invoking script with the following command:"


def decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """The values as the SDK's JSON or as plain text, as boto3 and the CLI send them."""
    values = {}
    for name, text in hyperparameters.items():
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def program_of(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """The script that the job names; empty if it names none."""
    program = decoded(hyperparameters).get("sagemaker_program")
    return str(program or environment.get("SAGEMAKER_PROGRAM") or "")


def fetch_code(container: Container, source: str) -> Iterator[str]:
    """Bring the script and what lies beside it to /opt/ml/code; yields what the log says.

    source: a tar.gz or a prefix of S3, or a folder or a tar.gz in the container.

    Raises:
        Failure: it is not there.
    """
    if source.startswith("s3://"):
        try:
            items = listed(source)
        except objects.NotFound:
            items = []
        if not items:
            raise Failure(CODE_NOT_FOUND)
        if is_archive(source):
            container.unpack(source, CODE)
        else:
            container.download(items, CODE)
    elif is_archive(source):
        container.unpack(source, CODE)
    folder = code_folder(source)
    if (container.inside(folder) / "requirements.txt").exists():
        yield NOT_INSTALLED


def is_archive(source: str) -> bool:
    return source.endswith((".tar.gz", ".tgz"))


def code_folder(source: str) -> str:
    elsewhere = not source or source.startswith("s3://") or is_archive(source)
    return CODE if elsewhere else source


def command_of(program: str, values: Mapping[str, Any]) -> list[str]:
    """How the toolkit starts the script: by Python, or by a shell."""
    arguments = arguments_of(values)
    if program.endswith(".py"):
        return [sys.executable, program, *arguments]
    return ["/bin/sh", "-c", 'chmod +x "$0"; exec "$0" "$@"', f"./{program}", *arguments]


def arguments_of(values: Mapping[str, Any]) -> list[str]:
    """`--name value` for each hyperparameter, in the order of their names."""
    arguments = []
    for name in sorted(values):
        if name not in RESERVED:
            dashes = "--" if len(name) > 1 else "-"
            arguments += [dashes + name, argument(values[name])]
    return arguments


def argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={value[key]}" for key in sorted(value))
    return str(value)


def variables_of(
    request: Mapping[str, Any],
    hosts: Sequence[str],
    host: str,
    configuration: Mapping[str, Any],
    program: str = "",
) -> dict[str, str]:
    """The variables SM_….

    configuration: what lies in /opt/ml/input/config, by the names of the files.
    """
    values = decoded(request.get("HyperParameters") or {})
    own = {name: value for name, value in values.items() if name not in RESERVED}
    channels = sorted(configuration["inputdataconfig"])
    resources = configuration["resourceconfig"]
    folders = {channel: f"/opt/ml/input/data/{channel}" for channel in channels}
    source = str(values.get("sagemaker_submit_directory", ""))
    told: dict[str, Any] = {
        "SM_HOSTS": list(hosts),
        "SM_CURRENT_HOST": host,
        "SM_NETWORK_INTERFACE_NAME": resources["network_interface_name"],
        "SM_CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
        "SM_CURRENT_INSTANCE_GROUP": resources["current_group_name"],
        "SM_NUM_CPUS": os.cpu_count(),
        "SM_NUM_GPUS": 0,
        "SM_NUM_NEURONS": 0,
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": "/opt/ml/output/intermediate",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_INPUT_CONFIG_DIR": CONFIG,
        "SM_INPUT_DATA_CONFIG": configuration["inputdataconfig"],
        "SM_RESOURCE_CONFIG": resources,
        "SM_CHANNELS": channels,
        "SM_HPS": own,
        "SM_USER_ARGS": arguments_of(values),
        "SM_USER_ENTRY_POINT": program,
        "SM_MODULE_NAME": posixpath.splitext(program)[0],
        "SM_MODULE_DIR": source or CODE,
        "SM_LOG_LEVEL": values.get("sagemaker_container_log_level", 20),
        "SM_FRAMEWORK_PARAMS": {},
    }
    told |= {f"SM_CHANNEL_{channel.upper()}": folder for channel, folder in folders.items()}
    told |= {f"SM_HP_{name.upper()}": value for name, value in own.items()}
    told["SM_TRAINING_ENV"] = {
        "channel_input_dirs": folders,
        "current_host": host,
        "current_instance_type": resources["current_instance_type"],
        "hosts": list(hosts),
        "hyperparameters": own,
        "input_config_dir": CONFIG,
        "input_data_config": configuration["inputdataconfig"],
        "input_dir": "/opt/ml/input",
        "is_master": host == hosts[0],
        "job_name": request["TrainingJobName"],
        "master_hostname": hosts[0],
        "model_dir": "/opt/ml/model",
        "module_dir": source or CODE,
        "module_name": posixpath.splitext(program)[0],
        "network_interface_name": resources["network_interface_name"],
        "num_cpus": os.cpu_count(),
        "num_gpus": 0,
        "output_data_dir": "/opt/ml/output/data",
        "output_dir": "/opt/ml/output",
        "resource_config": resources,
        "user_entry_point": program,
    }
    return {name: as_variable(value) for name, value in told.items()}


def as_variable(value: Any) -> str:
    """Texts as they are, everything else as JSON; booleans as Python writes them."""
    if isinstance(value, str | bool):
        return str(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def script_error(code: int, output: Sequence[str], command: str) -> str:
    """What the toolkit writes about a script that has failed.

    output: the last lines that the script has written.
    """
    lines = [line for line in output if line.strip()]
    starts = [index for index, line in enumerate(lines) if PYTHON_ERROR.match(line)]
    message = "\n".join(lines[starts[-1] :] if starts else lines[-1:])
    return (
        f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"\nCommand "{command}"'
    )
