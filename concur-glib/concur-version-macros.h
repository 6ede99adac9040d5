/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <glib.h>

#include "concur-version.h"

/* The library hides every symbol that is not marked so. */
#ifndef _CONCUR_EXTERN
#define _CONCUR_EXTERN __attribute__ ((visibility ("default"))) extern
#endif

#define CONCUR_VERSION_1_0 (G_ENCODE_VERSION (1, 0))

/* The stable series that this version belongs to, or leads to. */
#define CONCUR_VERSION_CUR_STABLE (G_ENCODE_VERSION (CONCUR_MAJOR_VERSION, CONCUR_MINOR_VERSION))

/**
 * CONCUR_VERSION_MIN_REQUIRED:
 *
 * The oldest version a program wants to build with, such as %CONCUR_VERSION_1_0.
 * Defined by the program before it includes `concur.h`: using what was deprecated in
 * that version or before gives a warning.
 *
 * Since: 1.0
 */
#ifndef CONCUR_VERSION_MIN_REQUIRED
#define CONCUR_VERSION_MIN_REQUIRED (CONCUR_VERSION_CUR_STABLE)
#endif

/**
 * CONCUR_VERSION_MAX_ALLOWED:
 *
 * The newest version whose functions a program wants to use, such as
 * %CONCUR_VERSION_1_0. Defined by the program before it includes `concur.h`: using what
 * came later gives a warning.
 *
 * Since: 1.0
 */
#ifndef CONCUR_VERSION_MAX_ALLOWED
#define CONCUR_VERSION_MAX_ALLOWED (CONCUR_VERSION_CUR_STABLE)
#endif

#if CONCUR_VERSION_MIN_REQUIRED < CONCUR_VERSION_1_0
#error "CONCUR_VERSION_MIN_REQUIRED must be at least CONCUR_VERSION_1_0"
#endif
#if CONCUR_VERSION_MAX_ALLOWED < CONCUR_VERSION_MIN_REQUIRED
#error "CONCUR_VERSION_MAX_ALLOWED must not be below CONCUR_VERSION_MIN_REQUIRED"
#endif

#ifdef CONCUR_DISABLE_DEPRECATION_WARNINGS
#define CONCUR_DEPRECATED _CONCUR_EXTERN
#define CONCUR_DEPRECATED_FOR(f) _CONCUR_EXTERN
#define CONCUR_UNAVAILABLE(major, minor) _CONCUR_EXTERN
#else
#define CONCUR_DEPRECATED G_DEPRECATED _CONCUR_EXTERN
#define CONCUR_DEPRECATED_FOR(f) G_DEPRECATED_FOR (f) _CONCUR_EXTERN
#define CONCUR_UNAVAILABLE(major, minor) G_UNAVAILABLE (major, minor) _CONCUR_EXTERN
#endif

#define CONCUR_AVAILABLE_IN_ALL _CONCUR_EXTERN

/* One pair of blocks like this for each later version that adds or deprecates something. */
#if CONCUR_VERSION_MAX_ALLOWED < CONCUR_VERSION_1_0
#define CONCUR_AVAILABLE_IN_1_0 CONCUR_UNAVAILABLE (1, 0)
#else
#define CONCUR_AVAILABLE_IN_1_0 _CONCUR_EXTERN
#endif
