/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <glib.h>

#include "concur-version-macros.h"

G_BEGIN_DECLS

/**
 * CONCUR_FUTURE_ERROR:
 *
 * Error domain of what can go wrong between a future and those who look at it. See
 * [error@FutureError].
 *
 * Since: 1.0
 */
#define CONCUR_FUTURE_ERROR (concur_future_error_quark ())

/**
 * ConcurFutureError:
 * @CONCUR_FUTURE_ERROR_PENDING: the future is not done yet
 * @CONCUR_FUTURE_ERROR_TIMED_OUT: the time is over: of a wait, and the work goes on, or of
 *   the work itself, see [method@Future.with_timeout]
 * @CONCUR_FUTURE_ERROR_BROKEN_PROMISE: whoever was to answer went away, or returned,
 *   without an answer
 * @CONCUR_FUTURE_ERROR_WOULD_DEADLOCK: waiting here could never end, because the work
 *   needs this very thread
 * @CONCUR_FUTURE_ERROR_WRONG_TYPE: the value is of another type than was asked for
 *
 * Errors of futures. Cancellation is %G_IO_ERROR_CANCELLED.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_FUTURE_ERROR_PENDING,
  CONCUR_FUTURE_ERROR_TIMED_OUT,
  CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
  CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
  CONCUR_FUTURE_ERROR_WRONG_TYPE,
} ConcurFutureError;

CONCUR_AVAILABLE_IN_1_0
GQuark concur_future_error_quark   (void);

/**
 * CONCUR_EXECUTOR_ERROR:
 *
 * Error domain of executors. See [error@ExecutorError].
 *
 * Since: 1.0
 */
#define CONCUR_EXECUTOR_ERROR (concur_executor_error_quark ())

/**
 * ConcurExecutorError:
 * @CONCUR_EXECUTOR_ERROR_NOT_RUNNING: there is nobody to run it: not started, or this
 *   process was forked from the one that owns the threads
 * @CONCUR_EXECUTOR_ERROR_SHUT_DOWN: the executor takes no more work
 * @CONCUR_EXECUTOR_ERROR_QUEUE_FULL: as many jobs are queued as the executor may hold
 * @CONCUR_EXECUTOR_ERROR_THREAD_FAILED: no thread could be started
 * @CONCUR_EXECUTOR_ERROR_WORKER_DIED: the worker process ended during the call
 * @CONCUR_EXECUTOR_ERROR_NOT_FOUND: the worker process has no function of that name
 * @CONCUR_EXECUTOR_ERROR_PROTOCOL: the worker process sent what cannot be understood
 *
 * Errors of executors.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
  CONCUR_EXECUTOR_ERROR_SHUT_DOWN,
  CONCUR_EXECUTOR_ERROR_QUEUE_FULL,
  CONCUR_EXECUTOR_ERROR_THREAD_FAILED,
  CONCUR_EXECUTOR_ERROR_WORKER_DIED,
  CONCUR_EXECUTOR_ERROR_NOT_FOUND,
  CONCUR_EXECUTOR_ERROR_PROTOCOL,
} ConcurExecutorError;

CONCUR_AVAILABLE_IN_1_0
GQuark concur_executor_error_quark (void);

/**
 * CONCUR_CHANNEL_ERROR:
 *
 * Error domain of channels. See [error@ChannelError].
 *
 * Since: 1.0
 */
#define CONCUR_CHANNEL_ERROR (concur_channel_error_quark ())

/**
 * ConcurChannelError:
 * @CONCUR_CHANNEL_ERROR_EMPTY: there is nothing to receive at this moment
 * @CONCUR_CHANNEL_ERROR_FULL: there is no room to send at this moment
 * @CONCUR_CHANNEL_ERROR_CLOSED: the senders have closed the channel; for receivers it is
 *   the end of what was sent
 * @CONCUR_CHANNEL_ERROR_STOPPED: the receivers have stopped the channel, or all have
 *   forgotten it
 *
 * Errors of channels.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_CHANNEL_ERROR_EMPTY,
  CONCUR_CHANNEL_ERROR_FULL,
  CONCUR_CHANNEL_ERROR_CLOSED,
  CONCUR_CHANNEL_ERROR_STOPPED,
} ConcurChannelError;

CONCUR_AVAILABLE_IN_1_0
GQuark concur_channel_error_quark  (void);

G_END_DECLS
