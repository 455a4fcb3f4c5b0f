"""Which programs of the site a step finds in its folder, beside the one that it runs."""

from pathlib import Path

from awslab.scenarios import EXAMPLES, companions, scenario, working_folder


def test_a_program_of_another_page_is_found_by_its_path() -> None:
    server = EXAMPLES / "traffic" / "model_server.py"
    for name in ("mirror_traffic", "measure_keep_alive"):
        assert server in companions(EXAMPLES / "shadow_testing" / f"{name}.py")
    assert server not in companions(EXAMPLES / "shadow_testing" / "sample_mirror.py")


def test_a_path_that_no_program_has_is_ignored(tmp_path: Path) -> None:
    program = tmp_path / "lost.py"
    program.write_text('"""Starts ../traffic/no_such_program.py."""\n')
    assert companions(program) == set()


def test_it_lies_in_the_folder_in_which_the_steps_run() -> None:
    with working_folder(scenario("shadow_testing/mirror_traffic")) as folder:
        copy = (folder / "model_server.py").read_bytes()
    assert copy == (EXAMPLES / "traffic" / "model_server.py").read_bytes()


def test_a_program_that_is_given_to_another_lies_there_too() -> None:
    with working_folder(scenario("lambda_traffic_shifting/shift_alias")) as folder:
        copy = (folder / "weigh_row.py").read_bytes()
    assert copy == (EXAMPLES / "lambda_traffic_shifting" / "weigh_row.py").read_bytes()
