/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-future.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_PROMISE (concur_promise_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurPromise, concur_promise, CONCUR, PROMISE, GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurPromise *concur_promise_new             (void) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_promise_get_future      (ConcurPromise *self);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve         (ConcurPromise *self,
                                               const GValue  *value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_string  (ConcurPromise *self,
                                               const char    *value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_object  (ConcurPromise *self,
                                               GObject       *value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_bytes   (ConcurPromise *self,
                                               GBytes        *value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_variant (ConcurPromise *self,
                                               GVariant      *value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_int64   (ConcurPromise *self,
                                               gint64         value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_double  (ConcurPromise *self,
                                               double         value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_resolve_boolean (ConcurPromise *self,
                                               gboolean       value);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_promise_reject          (ConcurPromise *self,
                                               const GError  *error);
CONCUR_AVAILABLE_IN_1_0
void           concur_promise_set_progress    (ConcurPromise *self,
                                               double         fraction);
CONCUR_AVAILABLE_IN_1_0
void           concur_promise_set_status_text (ConcurPromise *self,
                                               const char    *text);

G_END_DECLS
