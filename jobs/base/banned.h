// Functions this project does without, with the reason as the compile error. Included everywhere.
// SPDX-License-Identifier: MIT
#ifndef JOBS_BASE_BANNED_H
#define JOBS_BASE_BANNED_H

// Headers that declare or use them come first, so that only our own uses are caught.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atof localtime gmtime asctime ctime rand srand

#endif
