/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Counts what is in files, without stopping its caller. Its header says nothing of how:
 * to its users it is a class like any other in GIO. */
#define FILE_TYPE_COUNTER (file_counter_get_type ())
G_DECLARE_FINAL_TYPE (FileCounter, file_counter, FILE, COUNTER, GObject)

FileCounter *file_counter_new          (void);

/* Any number may be under way. Their progress as a whole is the property "progress". */
void         file_counter_count_async  (FileCounter          *self,
                                        GFile                *file,
                                        GCancellable         *cancellable,
                                        GAsyncReadyCallback   callback,
                                        gpointer              user_data);
gboolean     file_counter_count_finish (FileCounter          *self,
                                        GAsyncResult         *result,
                                        guint64              *lines,
                                        guint64              *words,
                                        guint64              *bytes,
                                        GError              **error);

G_END_DECLS
