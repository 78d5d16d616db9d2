#pragma once
#include <cblas.h>

// LAPACK lives inside OpenBLAS; Debian ships no LAPACKE header with it, so the
// Fortran routines that Assay calls are declared here (32-bit integers).
void sgesdd_(const char *job, const int *rows, const int *columns, float *a, const int *lda,
             float *singular_values, float *u, const int *ldu, float *vt, const int *ldvt,
             float *work, const int *work_length, int *integer_work, int *info);

void dsyevd_(const char *job, const char *triangle, const int *order, double *a, const int *lda,
             double *eigenvalues, double *work, const int *work_length, int *integer_work,
             const int *integer_length, int *info);

void dsytrd_(const char *triangle, const int *order, double *a, const int *lda, double *diagonal,
             double *beside, double *factors, double *work, const int *work_length, int *info);

void dsterf_(const int *order, double *diagonal, double *beside, int *info);

void dstemr_(const char *job, const char *range, const int *order, double *diagonal, double *beside,
             const double *low, const double *high, const int *first, const int *last, int *found,
             double *eigenvalues, double *vectors, const int *ldv, const int *columns, int *support,
             int *accurate, double *work, const int *work_length, int *integer_work,
             const int *integer_length, int *info);

void dormtr_(const char *side, const char *triangle, const char *transposed, const int *rows,
             const int *columns, const double *a, const int *lda, const double *factors, double *c,
             const int *ldc, double *work, const int *work_length, int *info);
