/* Cutting a failing script down to a short one (A. Zeller, R. Hildebrandt: Simplifying and Isolating
 * Failure-Inducing Input, 2002). */
#ifndef XD_TESTS_DIFFERENTIAL_SHRINK_H
#define XD_TESTS_DIFFERENTIAL_SHRINK_H

#include "tests/differential/duel.h"

/* Replaces a script at whose end the engines differ by one from which no step can be dropped without their
 * agreeing: first large runs of steps, then smaller ones, in the end single steps. Plays at most `plays`
 * scripts. */
void xd_shrink(struct xd_script *script, unsigned plays);

#endif
