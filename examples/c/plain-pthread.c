/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* plain-pthread
 *
 * Calls the library from a thread that GLib knows nothing of, such as those on which
 * drivers for sound and cameras call programs back. It was made by pthread_create(), has
 * no main context, and does not have to be registered or prepared. From there this program
 *
 *   - submits work to an executor, and waits for it;
 *   - calls into a loop thread, which alone has the statistics, so they need no lock;
 *   - keeps a promise, for whose future the main thread waits.
 *
 * Exit status: 0; 1 after a problem. */

#include <concur.h>

#include <locale.h>
#include <pthread.h>

#define N_BLOCKS 8
#define SAMPLES_PER_BLOCK 4800

/* Touched on the loop's thread only, as long as that runs. */
typedef struct
{
  guint n_blocks;
  double sum, loudest;
} Statistics;

/* What the driver's thread is given. */
typedef struct
{
  ConcurLoopThread *loop;
  ConcurPromise *promise;
  Statistics *statistics;
} Driver;

/* What the driver's thread sends to the loop's. */
typedef struct
{
  Statistics *statistics;
  double loudness;
} Report;

/* On a worker of the executor. */
static gboolean
measure (ConcurJob *job,
         gpointer   user_data,
         GError   **error)
{
  const double *samples = user_data;
  double sum = 0;

  for (guint i = 0; i < SAMPLES_PER_BLOCK; i++)
    sum += ABS (samples[i]);

  concur_job_return_double (job, sum / SAMPLES_PER_BLOCK);

  return TRUE;
}

/* On the loop's thread. */
static gboolean
take_report (ConcurJob *job,
             gpointer   user_data,
             GError   **error)
{
  Report *report = user_data;
  Statistics *statistics = report->statistics;

  statistics->n_blocks++;
  statistics->sum += report->loudness;
  statistics->loudest = MAX (statistics->loudest, report->loudness);
  concur_job_return_int64 (job, statistics->n_blocks);

  return TRUE;
}

/* A square wave that grows. */
static double *
record_block (guint number)
{
  double *samples = g_new (double, SAMPLES_PER_BLOCK);

  for (guint i = 0; i < SAMPLES_PER_BLOCK; i++)
    samples[i] = (number + 1.0) / N_BLOCKS * (i % 100 < 50 ? 1 : -1);

  return samples;
}

/* On the driver's thread: FALSE ends the recording. */
static gboolean
process_block (Driver  *driver,
               guint    number,
               GError **error)
{
  Report report = { driver->statistics, 0 };
  g_autoptr (ConcurFuture) measured = NULL;
  g_autoptr (ConcurFuture) reported = NULL;
  const GValue *loudness;

  /* The thread has no main context: what it submits is freed when it submits again or
   * waits. */
  measured = concur_executor_submit (concur_executor_get_default (), measure,
                                     record_block (number), g_free, NULL);
  loudness = concur_future_result (measured, -1, error);
  if (loudness == NULL)
    return FALSE;

  /* The call returns when the function has run, so what it is given can be on the stack. */
  report.loudness = g_value_get_double (loudness);
  reported = concur_loop_thread_call (driver->loop, take_report, &report, NULL, -1, error);

  return reported != NULL && concur_future_check (reported, error);
}

static void *
driver_thread (void *data)
{
  Driver *driver = data;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_BLOCKS; i++)
    {
      if (!process_block (driver, i, &error))
        {
          concur_promise_reject (driver->promise, error);
          return NULL;
        }
      concur_promise_set_progress (driver->promise, (i + 1.0) / N_BLOCKS);
    }

  concur_promise_resolve_int64 (driver->promise, N_BLOCKS);

  return NULL;
}

static int
fail (const char   *what,
      const GError *error)
{
  g_printerr ("plain-pthread: %s: %s\n", what, error->message);

  return 1;
}

int
main (void)
{
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("statistics");
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = NULL;
  Statistics statistics = { 0 };
  Driver driver = { loop, promise, &statistics };
  const GValue *n_blocks;
  pthread_t thread;

  setlocale (LC_ALL, "");

  if (!concur_loop_thread_start (loop, &error))
    return fail ("Could not start the loop", error);

  if (pthread_create (&thread, NULL, driver_thread, &driver) != 0)
    {
      g_printerr ("plain-pthread: Could not start the driver's thread\n");
      return 1;
    }

  n_blocks = concur_future_result (concur_promise_get_future (promise), -1, &error);
  pthread_join (thread, NULL);
  /* Once the loop has stopped, what was its own can be read here. */
  concur_loop_thread_stop (loop, -1, NULL);

  if (n_blocks == NULL)
    return fail ("The recording failed", error);

  g_print ("%" G_GINT64_FORMAT " blocks, mean %.3f, loudest %.3f\n",
           g_value_get_int64 (n_blocks), statistics.sum / statistics.n_blocks,
           statistics.loudest);

  return 0;
}
