/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W5: what an iteration of a main loop costs while --pending timers wait; and starting
 * and cancelling n of them. */

#include "bench.h"

#ifdef HAVE_UV
#include <uv.h>
#endif

/* None of them fires. */
#define HOUR_MS (3600 * 1000)

static int idles;

/* From a mixture of dues, so that a heap has something to do. */
static guint
due_ms (int i)
{
  return HOUR_MS + (guint) i * 7919u % 1000000u;
}

/* In an order that has nothing to do with that of starting or of dues. */
static int
shuffled (int i,
          int n)
{
  static const int primes[] = { 104729, 7919, 541, 31, 1 };

  for (guint k = 0;; k++)
    if (n % primes[k] != 0 || primes[k] == 1)
      return (int) ((gint64) i * primes[k] % n);
}

static gboolean
idle (gpointer data)
{
  idles++;

  return G_SOURCE_CONTINUE;
}

/* The priority of timers, as a source of another library would have it. */
static void
measure_iterations (void)
{
  guint id = g_idle_add_full (G_PRIORITY_DEFAULT, idle, NULL, NULL);

  bench_own_main_context ();
  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);

  idles = 0;
  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < bench_options.n; i++)
        g_main_context_iteration (NULL, FALSE);
      bench_stop ();
    }
  if (idles != bench_options.n * bench_options.repeat)
    g_error ("%d iterations", idles);

  g_source_remove (id);
}

/* Nothing but the idle source. */
static void
run_none (void)
{
  measure_iterations ();
}

/* concur-glib */

static void
must_not_be (ConcurFuture *future,
             gpointer      user_data)
{
  if (!concur_future_get_error (future))
    g_error ("an hour has gone by");
}

/* With callbacks in the context, so that each would end there. */
static void
run_concur (void)
{
  int n = bench_options.pending;
  ConcurFuture **delays = g_new (ConcurFuture *, n);

  for (int i = 0; i < n; i++)
    {
      delays[i] = concur_future_delay ((gint64) due_ms (i) * 1000);
      concur_future_when_done (delays[i], must_not_be, NULL, NULL, NULL);
    }

  measure_iterations ();

  for (int i = 0; i < n; i++)
    {
      if (concur_future_is_done (delays[i]))
        g_error ("done before its time");
      g_object_unref (delays[i]);
    }
  g_free (delays);
}

static void
run_concur_arm (void)
{
  int n = bench_options.n;
  ConcurFuture **delays = g_new (ConcurFuture *, n);

  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < n; i++)
        delays[i] = concur_future_delay ((gint64) due_ms (i) * 1000);
      for (int i = 0; i < n; i++)
        {
          ConcurFuture *delay = delays[shuffled (i, n)];

          if (!concur_future_cancel (delay, CONCUR_CANCEL_NONE))
            g_error ("done before its time");
          g_object_unref (delay);
        }
      bench_stop ();
    }
  g_free (delays);
}

/* GLib's timeouts */

static gboolean
timed_out (gpointer data)
{
  g_error ("an hour has gone by");

  return G_SOURCE_REMOVE;
}

static GSource *
start_timeout (int i)
{
  GSource *source = g_timeout_source_new (due_ms (i));

  g_source_set_callback (source, timed_out, NULL, NULL);
  g_source_attach (source, NULL);

  return source;
}

static void
stop_timeout (GSource *source)
{
  if (g_source_is_destroyed (source))
    g_error ("done before its time");
  g_source_destroy (source);
  g_source_unref (source);
}

static void
run_timeouts (void)
{
  int n = bench_options.pending;
  GSource **sources = g_new (GSource *, n);

  for (int i = 0; i < n; i++)
    sources[i] = start_timeout (i);
  measure_iterations ();
  for (int i = 0; i < n; i++)
    stop_timeout (sources[i]);
  g_free (sources);
}

static void
run_timeouts_arm (void)
{
  int n = bench_options.n;
  GSource **sources = g_new (GSource *, n);

  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < n; i++)
        sources[i] = start_timeout (i);
      for (int i = 0; i < n; i++)
        stop_timeout (sources[shuffled (i, n)]);
      bench_stop ();
    }
  g_free (sources);
}

/* libuv: timers that the caller has allocated. */

#ifdef HAVE_UV
static void
uv_fired (uv_timer_t *timer)
{
  g_error ("an hour has gone by");
}

static void
uv_idled (uv_idle_t *handle)
{
  idles++;
}

static void
start_uv (uv_timer_t *timer,
          int         i)
{
  uv_timer_init (uv_default_loop (), timer);
  uv_timer_start (timer, uv_fired, due_ms (i), 0);
}

static void
run_uv (void)
{
  uv_timer_t *timers = g_new0 (uv_timer_t, bench_options.pending);
  uv_idle_t handle;

  for (int i = 0; i < bench_options.pending; i++)
    start_uv (&timers[i], i);
  uv_idle_init (uv_default_loop (), &handle);
  uv_idle_start (&handle, uv_idled);
  for (int i = 0; i < 10; i++)
    uv_run (uv_default_loop (), UV_RUN_NOWAIT);

  idles = 0;
  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < bench_options.n; i++)
        uv_run (uv_default_loop (), UV_RUN_NOWAIT);
      bench_stop ();
    }
  if (idles != bench_options.n * bench_options.repeat)
    g_error ("%d iterations", idles);

  /* The loop still knows them: they go with the process. */
}

static void
run_uv_arm (void)
{
  int n = bench_options.n;
  uv_timer_t *timers = g_new0 (uv_timer_t, n);

  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < n; i++)
        start_uv (&timers[i], i);
      for (int i = 0; i < n; i++)
        uv_timer_stop (&timers[shuffled (i, n)]);
      bench_stop ();

      if (uv_backend_timeout (uv_default_loop ()) != 0 && uv_loop_alive (uv_default_loop ()))
        g_error ("timers are left");
      /* Handles that are started again must be new. */
      for (int i = 0; i < n; i++)
        uv_close ((uv_handle_t *) &timers[i], NULL);
      uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    }
  g_free (timers);
}
#endif

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "none", run_none },
    { "concur", run_concur },
    { "concur-arm", run_concur_arm },
    { "timeouts", run_timeouts },
    { "timeouts-arm", run_timeouts_arm },
#ifdef HAVE_UV
    { "libuv", run_uv },
    { "libuv-arm", run_uv_arm },
#endif
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
