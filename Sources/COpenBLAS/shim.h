#pragma once
#include <cblas.h>

// LAPACK lives inside OpenBLAS; Debian ships no LAPACKE header with it, so the
// two Fortran routines that Assay calls are declared here (32-bit integers).
void sgesdd_(const char *job, const int *rows, const int *columns, float *a, const int *lda,
             float *singular_values, float *u, const int *ldu, float *vt, const int *ldvt,
             float *work, const int *work_length, int *integer_work, int *info);
