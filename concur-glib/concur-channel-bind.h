/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-channel.h"

G_BEGIN_DECLS

/**
 * ConcurChannelFunc:
 * @channel: the channel it came from
 * @value: a value that was received, valid during the call
 * @user_data: (closure): what was given with the function
 *
 * Takes a value of a channel, see [method@Channel.for_each].
 *
 * Returns: %TRUE to go on, or %FALSE if it wants no more: the channel is stopped
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurChannelFunc) (ConcurChannel *channel,
                                       const GValue  *value,
                                       gpointer       user_data);

/**
 * ConcurItemFunc:
 * @value: a value that was received, valid during the call
 * @user_data: (closure): what was given with the function
 *
 * Makes an item of a list from a value of a channel, see [method@Channel.bind_list_store].
 *
 * Returns: (transfer full) (nullable): an object of the list's item type, or %NULL to leave
 *   the value out
 *
 * Since: 1.0
 */
typedef GObject *(*ConcurItemFunc) (const GValue *value,
                                    gpointer      user_data);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_channel_for_each        (ConcurChannel     *self,
                                              ConcurChannelFunc  func,
                                              gpointer           user_data,
                                              GDestroyNotify     destroy,
                                              GMainContext      *context);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_channel_bind_list_store (ConcurChannel     *self,
                                              GListStore        *store,
                                              ConcurItemFunc     factory,
                                              gpointer           user_data,
                                              GDestroyNotify     destroy);

G_END_DECLS
