/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Starting a loop thread, stopping it, and waiting for its end: the public calls. */

#include "config.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-loop-private.h"
#include "concur-promise.h"

#define get_loop(self) concur_loop_thread_get_loop (self)

/**
 * concur_loop_thread_start:
 * @self: a loop thread
 * @error: return location for an error
 *
 * Starts the thread, and returns when its loop runs. Does nothing if it runs already.
 *
 * While the thread is stopping this waits for the end, and then starts it again. If it is
 * stopped before its loop runs the error is %CONCUR_EXECUTOR_ERROR_NOT_RUNNING; if the
 * system gives no thread, %CONCUR_EXECUTOR_ERROR_THREAD_FAILED; where waiting for the end
 * could never end, on the thread itself and in a job of its pool,
 * %CONCUR_FUTURE_ERROR_WOULD_DEADLOCK.
 *
 * Returns: %TRUE if the loop has begun to run, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_start (ConcurLoopThread  *self,
                          GError           **error)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return concur_loop_start (get_loop (self), error);
}

static gboolean
wait_end (ConcurLoop    *loop,
          ConcurFuture  *ended,
          guint          run,
          gint64         timeout_us,
          GError       **error)
{
  if (concur_loop_wait_end (loop, ended, run, timeout_us))
    return TRUE;

  g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
               "%s has not ended after %" G_GINT64_FORMAT " ms: %u jobs and posts are left",
               loop->name, timeout_us / 1000, concur_context_queue_get_n_unfinished (loop->queue));

  return FALSE;
}

/**
 * concur_loop_thread_stop:
 * @self: a loop thread
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Stops the thread, and waits until it has ended. May be called in any state, from any
 * thread, and by several at once; a thread that is stopped already is no error.
 *
 * New work is refused from now on, tasks are cancelled, and what was submitted before is
 * finished, with the loop running. When the time is over the error is
 * %CONCUR_FUTURE_ERROR_TIMED_OUT, and the thread goes on finishing: nothing is abandoned
 * behind anybody's back. Call this again, or [method@LoopThread.join], to go on waiting;
 * or [method@Executor.shutdown] with %CONCUR_SHUTDOWN_CANCEL_ALL to hurry it.
 *
 * On the thread itself, and in a job of its own pool, this only begins the stop and
 * returns %TRUE.
 *
 * Returns: %TRUE if the thread has ended, or is going to where that cannot be waited for;
 *   %FALSE with @error set otherwise
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_stop (ConcurLoopThread  *self,
                         gint64             timeout_us,
                         GError           **error)
{
  g_autoptr (ConcurFuture) ended = NULL;
  ConcurLoop *loop;
  guint run;

  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }

  loop = get_loop (self);
  concur_loop_begin_stop (loop, CONCUR_SHUTDOWN_DRAIN, &ended, &run);

  return concur_loop_is_inside (loop) || wait_end (loop, ended, run, timeout_us, error);
}

/**
 * concur_loop_thread_join:
 * @self: a loop thread
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Waits until the thread has ended, without asking it to. If it is not running there is
 * nothing to wait for.
 *
 * When the time is over the error is %CONCUR_FUTURE_ERROR_TIMED_OUT; on the thread itself,
 * and in a job of its own pool, it is %CONCUR_FUTURE_ERROR_WOULD_DEADLOCK.
 *
 * Returns: %TRUE if the thread has ended, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_join (ConcurLoopThread  *self,
                         gint64             timeout_us,
                         GError           **error)
{
  g_autoptr (ConcurFuture) ended = NULL;
  ConcurLoop *loop;
  guint run;

  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }

  loop = get_loop (self);
  if (concur_loop_is_inside (loop))
    {
      g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
                   "%s cannot end while one of its own threads waits for that", loop->name);
      return FALSE;
    }

  ended = concur_loop_life_hold_end (&loop->life, &run);

  return wait_end (loop, ended, run, timeout_us, error);
}

typedef struct
{
  ConcurLoop *loop; /* (owned) */
  guint run;
} StopAsync;

static void
stop_async_free (gpointer data)
{
  StopAsync *stop = data;

  concur_loop_unref (stop->loop);
  g_free (stop);
}

static void
stop_async_ended (GObject      *ended,
                  GAsyncResult *result,
                  gpointer      data)
{
  g_autoptr (GTask) task = data;
  StopAsync *stop = g_task_get_task_data (task);
  GError *error = NULL;

  if (!concur_future_wait_finish (CONCUR_FUTURE (ended), result, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  /* The thread is in its very last steps. */
  concur_loop_reap (stop->loop, stop->run);
  g_task_return_boolean (task, TRUE);
}

/**
 * concur_loop_thread_stop_async:
 * @self: a loop thread
 * @cancellable: (nullable): gives the waiting up, not the stop
 * @callback: (scope async) (closure user_data): called when the thread has ended
 * @user_data: data for @callback
 *
 * Stops the thread as [method@LoopThread.stop] does, without blocking.
 *
 * @callback runs in the thread-default main context of the calling thread. On the thread
 * itself the stop has only begun by then.
 *
 * Since: 1.0
 */
void
concur_loop_thread_stop_async (ConcurLoopThread    *self,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr (ConcurFuture) ended = NULL;
  GError *error = NULL;
  StopAsync *stop;
  GTask *task;

  g_return_if_fail (CONCUR_IS_LOOP_THREAD (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, concur_loop_thread_stop_async);
  /* What the wait tells is what counts. */
  g_task_set_check_cancellable (task, FALSE);

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (&error);
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  stop = g_new (StopAsync, 1);
  stop->loop = concur_loop_ref (get_loop (self));
  g_task_set_task_data (task, stop, stop_async_free);

  /* Before the stop, for the callback needs the loop. */
  if (concur_loop_is_inside (stop->loop))
    g_task_return_boolean (task, TRUE);

  concur_loop_begin_stop (stop->loop, CONCUR_SHUTDOWN_DRAIN, &ended, &stop->run);

  if (concur_loop_is_inside (stop->loop))
    {
      g_object_unref (task);
      return;
    }

  if (ended != NULL)
    {
      concur_future_wait_async (ended, cancellable, stop_async_ended, task);
      return;
    }

  concur_loop_reap (stop->loop, stop->run);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * concur_loop_thread_stop_finish:
 * @self: a loop thread
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends [method@LoopThread.stop_async].
 *
 * Returns: %TRUE if the thread has ended, or %FALSE with @error set to
 *   %G_IO_ERROR_CANCELLED if the waiting was given up
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_stop_finish (ConcurLoopThread  *self,
                                GAsyncResult      *result,
                                GError           **error)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
shutdown_ended (ConcurFuture *ended,
                gpointer      promise)
{
  concur_promise_resolve (promise, NULL);
}

ConcurFuture *
concur_loop_thread_shutdown (ConcurExecutor     *executor,
                             ConcurShutdownMode  mode)
{
  ConcurLoop *loop = get_loop ((ConcurLoopThread *) executor);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
  g_autoptr (ConcurFuture) ended = NULL;
  g_autoptr (GError) error = NULL;
  guint run;

  concur_future_ignore (future);
  if (concur_has_stopped ())
    {
      concur_set_stopped_error (&error);
      concur_promise_reject (promise, error);
      return future;
    }

  concur_loop_begin_stop (loop, mode, &ended, &run);
  if (ended != NULL)
    concur_future_add_direct_callback (ended, shutdown_ended, g_object_ref (promise),
                                       g_object_unref);
  else
    concur_promise_resolve (promise, NULL);

  return future;
}
