/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that a GCancellable given at submit is a parent of. The cancellable has one
 * handler for all of them, however many: connecting one a job makes GLib walk all
 * handlers under its global lock each time a job ends. */

#pragma once

#include "concur-job.h"

G_BEGIN_DECLS

typedef struct _ConcurRegistration ConcurRegistration;

/* For a job that is about to be submitted, with its home set. The caller then looks
 * whether @cancellable was cancelled meanwhile. */
ConcurRegistration *concur_registration_new  (GCancellable       *cancellable,
                                              ConcurJob          *job);
/* At home: lets go of the cancellable. */
void                concur_registration_free (ConcurRegistration *self);

G_END_DECLS
