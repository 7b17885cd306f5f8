#pragma once
/*
 * What every unit test program shares: `UNIT_MAIN(name, test_a, test_b, …)` runs the Check tests as one suite. With
 * CK_TAP_LOG_FILE_NAME set (tests/run.py does) results come out as TAP.
 */
#include <check.h>
#include <stdlib.h>

#define UNIT_MAIN(suite_name, ...)                                                                                     \
	int main(void)                                                                                                 \
	{                                                                                                              \
		Suite *suite = suite_create(suite_name);                                                               \
		TCase *tcase = tcase_create(suite_name);                                                               \
		tcase_set_timeout(tcase, 60);                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                                            \
		for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)                                            \
			tcase_add_test(tcase, tests[i]);                                                               \
		suite_add_tcase(suite, tcase);                                                                         \
		SRunner *runner = srunner_create(suite);                                                               \
		srunner_run_all(runner, CK_ENV);                                                                       \
		int failed = srunner_ntests_failed(runner);                                                            \
		srunner_free(runner);                                                                                  \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                                           \
	}
