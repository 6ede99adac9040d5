/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* timeouts
 *
 * Shows what can be done about work that takes too long, and prints how each ends:
 *
 *   - to wait for a limited time, while the work goes on;
 *   - to cancel it, which asks it to stop;
 *   - to limit the work itself, so that it is cancelled when its time is over;
 *   - to abandon what does not listen;
 *   - and, the other way round, to let time pass without a thread that sleeps.
 *
 * Exit status: 0. */

#include <concur.h>

#include <locale.h>

/* Times are in microseconds. */
#define SHORT (20 * G_TIME_SPAN_MILLISECOND)
#define LONG (60 * G_USEC_PER_SEC)

static void
print_outcome (const char   *what,
               ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  if (value == NULL)
    g_print ("%s: %s\n", what, error->message);
  else if (G_VALUE_HOLDS_INT64 (value))
    g_print ("%s: %" G_GINT64_FORMAT "\n", what, g_value_get_int64 (value));
  else
    g_print ("%s: done\n", what);
}

/* Work that would go on for ever, but looks now and then whether it is still wanted. */
static gboolean
count_for_ever (ConcurJob *job,
                gpointer   user_data,
                GError   **error)
{
  gint64 n = 0;

  while (!concur_job_check_cancelled (job, error))
    n++;

  return FALSE;
}

static gboolean
count_to_a_million (ConcurJob *job,
                    gpointer   user_data,
                    GError   **error)
{
  volatile gint64 n = 0;

  while (n < 1000000)
    n++;
  concur_job_return_int64 (job, n);

  return TRUE;
}

/* Work that does not look: as a read from a network drive that has gone away. Here it is
 * a line that nobody writes until we say so. */
static gboolean
read_from_queue (ConcurJob *job,
                 gpointer   user_data,
                 GError   **error)
{
  g_autofree char *line = g_async_queue_pop (user_data);

  concur_job_return_string (job, line);

  return TRUE;
}

static ConcurFuture *
submit (ConcurJobFunc func)
{
  return concur_executor_submit (concur_executor_get_default (), func, NULL, NULL, NULL);
}

static void
limit_the_wait (void)
{
  g_autoptr (ConcurFuture) work = submit (count_for_ever);
  g_autoptr (GError) error = NULL;

  if (concur_future_result (work, SHORT, &error) == NULL
      && g_error_matches (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT))
    g_print ("Waited in vain, and the work %s\n",
             concur_future_is_done (work) ? "is done" : "goes on");

  /* Asked to stop it may still answer with a value, if it has one. Ours does not. */
  concur_future_cancel (work, CONCUR_CANCEL_NONE);
  concur_future_wait (work, -1);
  print_outcome ("Cancelled", work);
}

static void
limit_the_work (void)
{
  g_autoptr (ConcurFuture) endless = submit (count_for_ever);
  g_autoptr (ConcurFuture) million = submit (count_to_a_million);
  g_autoptr (ConcurFuture) too_short = concur_future_with_timeout (endless, SHORT);
  g_autoptr (ConcurFuture) long_enough = concur_future_with_timeout (million, LONG);

  concur_future_wait (too_short, -1);
  print_outcome ("Out of time", too_short);

  /* What was limited is cancelled. The job ends a moment later than its limit does. */
  concur_future_wait (endless, -1);
  print_outcome ("The work behind it", endless);

  concur_future_wait (long_enough, -1);
  print_outcome ("In time", long_enough);
}

static void
abandon (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new_full (g_free);
  g_autoptr (ConcurFuture) work = NULL;

  work = concur_executor_submit (concur_executor_get_default (), read_from_queue,
                                 g_async_queue_ref (queue),
                                 (GDestroyNotify) g_async_queue_unref, NULL);

  concur_future_wait (work, SHORT);

  /* Its thread is lost as long as the call takes, but nobody waits for it any more. The
   * queue is released when the job has really ended. */
  concur_future_cancel (work, CONCUR_CANCEL_ABANDON);
  print_outcome ("Abandoned", work);

  g_async_queue_push (queue, g_strdup ("too late"));
}

static gboolean
say_hello (ConcurJob    *job,
           ConcurFuture *delay,
           gpointer      user_data,
           GError      **error)
{
  gint64 *begun = user_data;

  concur_job_return_boolean (job, g_get_monotonic_time () - *begun >= SHORT);

  return TRUE;
}

/* A million of these would be no more threads than one. */
static void
let_time_pass (void)
{
  gint64 begun = g_get_monotonic_time ();
  g_autoptr (ConcurFuture) delay = concur_future_delay (SHORT);
  g_autoptr (ConcurFuture) hello = concur_future_continue_with (delay, say_hello, &begun, NULL,
                                                                concur_executor_get_default ());

  concur_future_wait (hello, -1);
  g_print ("Hello, %s\n", concur_future_get_boolean (hello, NULL) ? "not too early" : "too early");
}

int
main (void)
{
  setlocale (LC_ALL, "");

  limit_the_wait ();
  limit_the_work ();
  abandon ();
  let_time_pass ();

  return 0;
}
