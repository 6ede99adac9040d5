/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the threads of a pool come from: a GThreadPool of its own, which is given tokens
 * and not jobs. The schedule explorer has another implementation. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ConcurSupply ConcurSupply;

/* @func runs once on a thread for each token. */
ConcurSupply *concur_supply_new   (void         (*func) (gpointer data),
                                   gpointer       data);
void          concur_supply_free  (ConcurSupply  *self);
/* A token that got no thread stays in the supply: @func may still run for it, when
 * another thread comes free or a retry succeeds. It is never pushed again. */
gboolean      concur_supply_push  (ConcurSupply  *self,
                                   GError       **error);
gboolean      concur_supply_retry (ConcurSupply  *self,
                                   GError       **error);

G_END_DECLS
