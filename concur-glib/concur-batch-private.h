/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-batch.h"

G_BEGIN_DECLS

ConcurBatch *concur_batch_new        (guint   n_items);
/* Takes over an array of owned values. */
ConcurBatch *concur_batch_new_values (GValue *values,
                                      guint   n_items);

G_END_DECLS
