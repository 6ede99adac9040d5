/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-process-child-private.h"

G_BEGIN_DECLS

/* Starts the program of a worker as the leader of a process group, with nothing of this
 * process' but @socket, stdout and what can be read of its stderr at @messages. */
gboolean concur_process_spawn (const ConcurProcessSettings  *settings,
                               int                           socket,
                               pid_t                        *pid,
                               int                          *messages,
                               GError                      **error);

G_END_DECLS
