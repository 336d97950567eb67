"""`oidcc-formpost-basic-certification-test-plan`: the modules of the basic plan, answered by a form."""

from tests.conformance import test_oidcc_basic


class TestFormPostBasic(test_oidcc_basic.TestBasic):
    """Form Post Response Mode 1.0."""

    response_mode = "form_post"
