/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A list of futures that never changes: a GListModel around one array, so that any item
 * of a hundred thousand is as near as the first. */

#pragma once

#include "concur-future.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_FUTURE_LIST (concur_future_list_get_type ())

G_DECLARE_FINAL_TYPE (ConcurFutureList, concur_future_list, CONCUR, FUTURE_LIST, GObject)

/* The @futures for which @filter holds; NULL takes all. */
ConcurFutureList *concur_future_list_new     (ConcurFuture     **futures,
                                              guint              n_futures,
                                              gboolean         (*filter) (ConcurFuture *future));
/* Its array, which is valid as long as the list. */
ConcurFuture    **concur_future_list_peek    (ConcurFutureList  *self);

G_END_DECLS
