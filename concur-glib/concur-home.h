/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-version-macros.h"
#include <glib.h>

G_BEGIN_DECLS

CONCUR_AVAILABLE_IN_1_0
guint concur_release_pending (void);
CONCUR_AVAILABLE_IN_1_0
void  concur_quiesce         (void);

G_END_DECLS
