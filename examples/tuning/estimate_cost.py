"""Work out what a tuning job will use: instance hours, time and instances at once."""

import argparse
import math


# [start: estimate]
def estimate(jobs: int, minutes: float, instances: int, parallel: int) -> dict[str, float]:
    """What so many training jobs of so many minutes on so many instances each add up to.

    minutes: the mean that is billed per training job, from a trial run: BillableTimeInSeconds / 60.
    """
    return {
        "instance_hours": jobs * minutes * instances / 60,  # parallelism does not change it
        "hours": math.ceil(jobs / parallel) * minutes / 60,
        "instances_at_once": min(parallel, jobs) * instances,
    }


# [end: estimate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, required=True, help="MaxNumberOfTrainingJobs")
    parser.add_argument("--minutes", type=float, required=True, help="billed per training job")
    parser.add_argument("--instances", type=int, default=1, help="of each training job")
    parser.add_argument("--parallel", type=int, nargs="+", default=[1])
    parser.add_argument("--price", type=float, help="of one instance for one hour")
    arguments = parser.parse_args()
    numbers = [arguments.jobs, arguments.minutes, arguments.instances, *arguments.parallel]
    if not all(0 < number <= 1e9 for number in numbers) or not 0 <= (arguments.price or 0) <= 1e9:
        parser.error(
            "jobs, minutes, instances and parallel: above 0; price: 0 or more; each 1e9 at most"
        )
    print("parallel  instance hours  hours at least  instances at once")
    for parallel in arguments.parallel:
        found = estimate(arguments.jobs, arguments.minutes, arguments.instances, parallel)
        print(
            f"{parallel:8}  {found['instance_hours']:14.2f}  {found['hours']:14.2f}  "
            f"{found['instances_at_once']:17.0f}"
        )
    if arguments.price is not None:
        print(f"at {arguments.price:g} an hour: {found['instance_hours'] * arguments.price:.2f}")


if __name__ == "__main__":
    main()
