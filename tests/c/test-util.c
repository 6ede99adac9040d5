/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "test-util.h"

#include "concur-future-private.h"
#include "concur-home-private.h"
#include "concur-pool-private.h"

#include <stdlib.h>
#include <unistd.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define DEFAULT_SCALE 10
#else
#define DEFAULT_SCALE 1
#endif

/* A test program takes well under a minute. */
#define TIME_LIMIT_SECONDS 600

/* How long to wait before looking at a condition again that nobody announces. */
#define LOOK_AGAIN_MS 2

void
test_init (int    *argc,
           char ***argv)
{
  g_test_init (argc, argv, NULL);
  alarm (TIME_LIMIT_SECONDS);

  /* GLib makes these without a lock when they are first used. */
  (void) G_FILE_ERROR;
  (void) G_IO_ERROR;

  if (g_strcmp0 (g_getenv ("CONCUR_TEST_QUEUE"), "mutex") == 0)
    concur_pool_default_queue = &concur_queue_mutex;
}

int
test_run (void)
{
  int status = g_test_run ();

  if (status == 0)
    test_iterate_until (NULL, test_futures_alive () == 0);

  return status;
}

guint
test_scaled (guint n)
{
  const char *text = g_getenv ("CONCUR_TEST_SCALE");
  guint scale = text != NULL ? (guint) strtoul (text, NULL, 10) : DEFAULT_SCALE;

  return MAX (n / MAX (scale, 1), 1);
}

void
test_shake_start (void)
{
  const char *text = g_getenv ("CONCUR_TEST_SEED");
  guint32 seed = text != NULL ? (guint32) strtoul (text, NULL, 10) : g_random_int ();

  g_test_message ("to shake it in the same way: CONCUR_TEST_SEED=%u", seed);
  concur_sync_shake_start (seed);
}

void
test_shake_stop (void)
{
  concur_sync_shake_stop ();
}

void
test_gate_open (TestGate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->opened++;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

guint
test_gate_get (TestGate *gate)
{
  guint opened;

  g_mutex_lock (&gate->mutex);
  opened = gate->opened;
  g_mutex_unlock (&gate->mutex);

  return opened;
}

void
test_gate_wait_for (TestGate   *gate,
                    guint       opened,
                    const char *where)
{
  gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

  g_mutex_lock (&gate->mutex);
  while (gate->opened < opened)
    {
      if (!g_cond_wait_until (&gate->cond, &gate->mutex, deadline))
        g_error ("%s: the gate was opened %u times, not %u", where, gate->opened, opened);
    }
  g_mutex_unlock (&gate->mutex);
}

gboolean
test_clog_job (ConcurJob  *job,
               gpointer    clog,
               GError    **error)
{
  TestClog *self = clog;

  test_gate_open (&self->begun);
  test_gate_wait (&self->go);
  concur_job_return_int64 (job, 42);

  return TRUE;
}

void
test_released (gpointer releases)
{
  TestReleases *self = releases;

  if ((self->thread != NULL && self->thread != g_thread_self ())
      || (self->context != NULL && !g_main_context_is_owner (self->context)))
    g_atomic_int_inc (&self->n_wrong);
  g_atomic_int_inc (&self->n);
}

void
test_releases_watch (TestReleases *releases,
                     gpointer      object)
{
  g_object_set_data_full (G_OBJECT (object), "test-releases", releases, test_released);
}

guint
test_releases_get (TestReleases *releases)
{
  return (guint) g_atomic_int_get (&releases->n);
}

guint
test_releases_get_wrong (TestReleases *releases)
{
  return (guint) g_atomic_int_get (&releases->n_wrong);
}

static gboolean
nothing (gpointer data)
{
  return G_SOURCE_REMOVE;
}

void
test_iterate (GMainContext *context,
              gint64        deadline,
              const char   *where)
{
  GSource *source;

  if (g_get_monotonic_time () > deadline)
    g_error ("%s did not come true in time", where);

  if (g_main_context_iteration (context, FALSE))
    return;

  source = g_timeout_source_new (LOOK_AGAIN_MS);
  g_source_set_callback (source, nothing, NULL, NULL);
  g_source_attach (source, context);
  g_main_context_iteration (context, TRUE);
  g_source_destroy (source);
  g_source_unref (source);
}

void
test_pause (gint64      deadline,
            const char *where)
{
  if (g_get_monotonic_time () > deadline)
    g_error ("%s did not come true in time", where);

  if (concur_release_pending () == 0)
    g_usleep (LOOK_AGAIN_MS * 1000);
}

guint
test_futures_alive (void)
{
  return (guint) atomic_load (&concur_futures_alive);
}

guint
test_homes_alive (void)
{
  return (guint) atomic_load (&concur_homes_alive);
}

guint
test_count_fds (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  g_dir_close (dir);

  return n;
}

struct _TestLoop
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  TestGate running;
};

static gboolean
loop_runs (gpointer data)
{
  TestLoop *self = data;

  test_gate_open (&self->running);

  return G_SOURCE_REMOVE;
}

static gpointer
loop_thread (gpointer data)
{
  TestLoop *self = data;
  GSource *source = g_idle_source_new ();

  g_main_context_push_thread_default (self->context);
  g_source_set_callback (source, loop_runs, self, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);

  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

TestLoop *
test_loop_new (void)
{
  TestLoop *self = g_new0 (TestLoop, 1);

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("test-loop", loop_thread, self);
  test_gate_wait (&self->running);

  return self;
}

GMainContext *
test_loop_get_context (TestLoop *self)
{
  return self->context;
}

GThread *
test_loop_get_thread (TestLoop *self)
{
  return self->thread;
}

typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
  TestGate done;
} LoopCall;

static gboolean
loop_call (gpointer data)
{
  LoopCall *call = data;

  call->func (call->data);
  test_gate_open (&call->done);

  return G_SOURCE_REMOVE;
}

void
test_loop_call (TestLoop  *self,
                void     (*func) (gpointer data),
                gpointer   data)
{
  LoopCall call = { .func = func, .data = data };
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, loop_call, &call, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
  test_gate_wait (&call.done);
}

static void
loop_quit (gpointer data)
{
  g_main_loop_quit (data);
}

void
test_loop_free (TestLoop *self)
{
  test_loop_call (self, loop_quit, self->loop);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

void
test_executor_end (ConcurExecutor *executor)
{
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);

  g_assert_true (concur_future_wait (end, TEST_PATIENCE_US));
  g_assert_true (concur_future_check (end, NULL));
  g_object_unref (executor);
}

void
test_assert_int64 (ConcurFuture *future,
                   gint64        value)
{
  g_autoptr (GError) error = NULL;
  gint64 have = concur_future_get_int64 (future, &error);

  g_assert_no_error (error);
  g_assert_cmpint (have, ==, value);
}
