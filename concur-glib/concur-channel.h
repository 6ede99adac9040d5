/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-batch.h"
#include "concur-future.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_CHANNEL (concur_channel_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurChannel, concur_channel, CONCUR, CHANNEL, GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurChannel *concur_channel_new               (guint                 capacity) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
guint          concur_channel_get_capacity      (ConcurChannel        *self);
CONCUR_AVAILABLE_IN_1_0
guint          concur_channel_get_length        (ConcurChannel        *self);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_is_closed         (ConcurChannel        *self);

/* As futures */

CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_channel_send              (ConcurChannel        *self,
                                                 const GValue         *value) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_channel_send_many         (ConcurChannel        *self,
                                                 const GValue         *values,
                                                 guint                 n_values) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_channel_receive           (ConcurChannel        *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_channel_receive_many      (ConcurChannel        *self,
                                                 guint                 max_items) G_GNUC_WARN_UNUSED_RESULT;

/* In GIO's manner */

CONCUR_AVAILABLE_IN_1_0
void           concur_channel_send_async        (ConcurChannel        *self,
                                                 const GValue         *value,
                                                 GCancellable         *cancellable,
                                                 GAsyncReadyCallback   callback,
                                                 gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_send_finish       (ConcurChannel        *self,
                                                 GAsyncResult         *result,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
void           concur_channel_receive_async     (ConcurChannel        *self,
                                                 GCancellable         *cancellable,
                                                 GAsyncReadyCallback   callback,
                                                 gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
const GValue  *concur_channel_receive_finish    (ConcurChannel        *self,
                                                 GAsyncResult         *result,
                                                 GError              **error);

/* Blocking */

CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_send_wait         (ConcurChannel        *self,
                                                 const GValue         *value,
                                                 gint64                timeout_us,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
guint          concur_channel_send_many_wait    (ConcurChannel        *self,
                                                 const GValue         *values,
                                                 guint                 n_values,
                                                 gint64                timeout_us,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_receive_wait      (ConcurChannel        *self,
                                                 GValue               *value,
                                                 gint64                timeout_us,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurBatch   *concur_channel_receive_many_wait (ConcurChannel        *self,
                                                 guint                 max_items,
                                                 gint64                timeout_us,
                                                 GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* At once or not at all */

CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_try_send          (ConcurChannel        *self,
                                                 const GValue         *value,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
guint          concur_channel_try_send_many     (ConcurChannel        *self,
                                                 const GValue         *values,
                                                 guint                 n_values,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_try_receive       (ConcurChannel        *self,
                                                 GValue               *value,
                                                 GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurBatch   *concur_channel_try_receive_many  (ConcurChannel        *self,
                                                 guint                 max_items,
                                                 GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_give_back         (ConcurChannel        *self,
                                                 const GValue         *value);

/* The end */

CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_close             (ConcurChannel        *self);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_fail              (ConcurChannel        *self,
                                                 const GError         *error);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_channel_stop              (ConcurChannel        *self);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_channel_dup_completion    (ConcurChannel        *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
