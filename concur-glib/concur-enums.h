/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * ConcurFutureState:
 * @CONCUR_FUTURE_STATE_PENDING: nobody has begun to work on it
 * @CONCUR_FUTURE_STATE_RUNNING: its job is running, or is held to be finished later
 * @CONCUR_FUTURE_STATE_RESOLVED: done, with a value
 * @CONCUR_FUTURE_STATE_REJECTED: done, with an error
 * @CONCUR_FUTURE_STATE_CANCELLED: done, by cancellation; the error is %G_IO_ERROR_CANCELLED
 *
 * The states of a [class@Future]. The last three are final.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_FUTURE_STATE_PENDING,
  CONCUR_FUTURE_STATE_RUNNING,
  CONCUR_FUTURE_STATE_RESOLVED,
  CONCUR_FUTURE_STATE_REJECTED,
  CONCUR_FUTURE_STATE_CANCELLED,
} ConcurFutureState;

/**
 * ConcurCancelFlags:
 * @CONCUR_CANCEL_NONE: ask, and let running work answer for itself
 * @CONCUR_CANCEL_ABANDON: decide now; a running job is still asked to stop, but nobody
 *   waits for it and what it answers is dropped
 * @CONCUR_CANCEL_QUEUED: only work that has not begun: a running job is left alone, and
 *   not even asked to stop. With this %CONCUR_CANCEL_ABANDON has no effect
 *
 * How [method@Future.cancel] treats work that is already running.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  CONCUR_CANCEL_NONE = 0,
  CONCUR_CANCEL_ABANDON = 1 << 0,
  CONCUR_CANCEL_QUEUED = 1 << 1,
} ConcurCancelFlags;

/**
 * ConcurPriority:
 * @CONCUR_PRIORITY_HIGH: before everything else
 * @CONCUR_PRIORITY_DEFAULT: what a job has unless told otherwise
 * @CONCUR_PRIORITY_LOW: after jobs of default priority
 * @CONCUR_PRIORITY_IDLE: when nothing else waits
 *
 * The order in which a [class@ThreadExecutor] starts queued jobs. Jobs of one priority
 * start in the order they were submitted. A job that waits long is not forgotten: every
 * 64th start takes the oldest job of the lowest priority that has any.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_PRIORITY_HIGH,
  CONCUR_PRIORITY_DEFAULT,
  CONCUR_PRIORITY_LOW,
  CONCUR_PRIORITY_IDLE,
} ConcurPriority;

/**
 * ConcurOverflow:
 * @CONCUR_OVERFLOW_WAIT: submitting waits for room. A thread that owns a main context
 *   must not stop, so there it acts as %CONCUR_OVERFLOW_REJECT; a worker of the same
 *   executor could wait for itself, so there the bound is exceeded instead
 * @CONCUR_OVERFLOW_REJECT: the job is rejected with %CONCUR_EXECUTOR_ERROR_QUEUE_FULL
 *
 * What submitting does when [property@ThreadExecutor:max-pending] jobs are queued.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_OVERFLOW_WAIT,
  CONCUR_OVERFLOW_REJECT,
} ConcurOverflow;

/**
 * ConcurShutdownMode:
 * @CONCUR_SHUTDOWN_DRAIN: run what is queued, then end
 * @CONCUR_SHUTDOWN_CANCEL_PENDING: cancel what is queued, finish what runs
 * @CONCUR_SHUTDOWN_CANCEL_ALL: cancel what is queued and ask running jobs to stop
 *
 * What [method@Executor.shutdown] does with work it already has. Each is stronger than
 * the one before it.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_SHUTDOWN_DRAIN,
  CONCUR_SHUTDOWN_CANCEL_PENDING,
  CONCUR_SHUTDOWN_CANCEL_ALL,
} ConcurShutdownMode;

/**
 * ConcurReleasePolicy:
 * @CONCUR_RELEASE_HOME: in the submitter's main context, or by the submitting thread
 * @CONCUR_RELEASE_WORKER: on the worker, as soon as the job has finished
 *
 * Where an executor releases what was submitted to it: the user data, the cancellable
 * and the library's last reference to the job.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_RELEASE_HOME,
  CONCUR_RELEASE_WORKER,
} ConcurReleasePolicy;

/**
 * ConcurLoopState:
 * @CONCUR_LOOP_STATE_STOPPED: there is no thread: not started yet, or stopped
 * @CONCUR_LOOP_STATE_STARTING: the thread is being started, the loop does not run yet
 * @CONCUR_LOOP_STATE_RUNNING: the loop runs, and takes work
 * @CONCUR_LOOP_STATE_STOPPING: it takes no more work, and finishes what it has
 *
 * The states of a [class@LoopThread]. It goes through them in this order, as often as it
 * is started; a start that fails leaves some out.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_LOOP_STATE_STOPPED,
  CONCUR_LOOP_STATE_STARTING,
  CONCUR_LOOP_STATE_RUNNING,
  CONCUR_LOOP_STATE_STOPPING,
} ConcurLoopState;

/**
 * ConcurCombineFlags:
 * @CONCUR_COMBINE_NONE: those that are not needed any more go on
 * @CONCUR_COMBINE_CANCEL_REST: they are cancelled, as soon as the outcome is decided
 *
 * What happens to the other futures once one of them has decided.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  CONCUR_COMBINE_NONE = 0,
  CONCUR_COMBINE_CANCEL_REST = 1 << 0,
} ConcurCombineFlags;

/**
 * ConcurWaitCondition:
 * @CONCUR_WAIT_ALL: until all are done
 * @CONCUR_WAIT_FIRST_COMPLETED: until one is done, in whatever way
 * @CONCUR_WAIT_FIRST_ERROR: until one is rejected or cancelled; if none is, until all are
 *   done
 *
 * How long [func@Future.wait_many] waits.
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_WAIT_ALL,
  CONCUR_WAIT_FIRST_COMPLETED,
  CONCUR_WAIT_FIRST_ERROR,
} ConcurWaitCondition;

/**
 * ConcurGroupPolicy:
 * @CONCUR_GROUP_CANCEL_ON_ERROR: the first error cancels the others, and is what the whole
 *   is rejected with
 * @CONCUR_GROUP_COLLECT: the others go on, and the outcome of each is its own
 *
 * What an error of one member is to a [class@TaskGroup].
 *
 * Since: 1.0
 */
typedef enum
{
  CONCUR_GROUP_CANCEL_ON_ERROR,
  CONCUR_GROUP_COLLECT,
} ConcurGroupPolicy;

G_END_DECLS
