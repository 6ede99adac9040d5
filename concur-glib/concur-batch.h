/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-types.h"
#include "concur-version-macros.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_BATCH (concur_batch_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurBatch, concur_batch, CONCUR, BATCH, GObject)

CONCUR_AVAILABLE_IN_1_0
guint         concur_batch_get_n_items  (ConcurBatch  *self);
CONCUR_AVAILABLE_IN_1_0
GType         concur_batch_get_item_type (ConcurBatch *self);

CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_int64    (ConcurBatch  *self,
                                         guint         index,
                                         gint64        value);
CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_double   (ConcurBatch  *self,
                                         guint         index,
                                         double        value);
CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_string   (ConcurBatch  *self,
                                         guint         index,
                                         const char   *value);
CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_object   (ConcurBatch  *self,
                                         guint         index,
                                         GObject      *value);
CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_bytes    (ConcurBatch  *self,
                                         guint         index,
                                         GBytes       *value);
CONCUR_AVAILABLE_IN_1_0
void          concur_batch_set_variant  (ConcurBatch  *self,
                                         guint         index,
                                         GVariant     *value);

CONCUR_AVAILABLE_IN_1_0
gint64        concur_batch_get_int64    (ConcurBatch  *self,
                                         guint         index);
CONCUR_AVAILABLE_IN_1_0
double        concur_batch_get_double   (ConcurBatch  *self,
                                         guint         index);
CONCUR_AVAILABLE_IN_1_0
const char   *concur_batch_get_string   (ConcurBatch  *self,
                                         guint         index);
CONCUR_AVAILABLE_IN_1_0
GObject      *concur_batch_get_object   (ConcurBatch  *self,
                                         guint         index);
CONCUR_AVAILABLE_IN_1_0
GBytes       *concur_batch_get_bytes    (ConcurBatch  *self,
                                         guint         index);
CONCUR_AVAILABLE_IN_1_0
GVariant     *concur_batch_get_variant  (ConcurBatch  *self,
                                         guint         index);

CONCUR_AVAILABLE_IN_1_0
const GValue *concur_batch_get_value    (ConcurBatch  *self,
                                         guint         index);

CONCUR_AVAILABLE_IN_1_0
gint64       *concur_batch_peek_int64   (ConcurBatch  *self,
                                         guint         first,
                                         guint         n);
CONCUR_AVAILABLE_IN_1_0
double       *concur_batch_peek_double  (ConcurBatch  *self,
                                         guint         first,
                                         guint         n);

G_END_DECLS
