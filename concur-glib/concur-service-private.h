/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One thread of the library's own, started when first needed, for what must not run
 * where it comes up: inside somebody's signal emission, say. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ConcurChore ConcurChore;

struct _ConcurChore
{
  ConcurChore *next;
  void (*run) (ConcurChore *chore);
};

/* In order. Runs it here and now if the thread cannot be started. */
void concur_service_do (ConcurChore *chore);

G_END_DECLS
