#include "base/environment.h"

#include "tests/unit/unit.h"

START_TEST(variables_are_found_by_their_whole_name)
{
	char *environment[] = {(char *)(uintptr_t) "AB=1", (char *)(uintptr_t) "A=", (char *)(uintptr_t) "B=x=y", NULL};
	ck_assert_str_eq(environment_get(environment, "AB"), "1");
	ck_assert_str_eq(environment_get(environment, "B"), "x=y");
	ck_assert_ptr_null(environment_get(environment, "A"));
	ck_assert_ptr_null(environment_get(environment, "C"));
	ck_assert_ptr_null(environment_get(NULL, "A"));
}
END_TEST

UNIT_MAIN("environment", variables_are_found_by_their_whole_name)
