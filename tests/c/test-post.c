/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Functions posted to executors, above all onto main contexts. */

#include "config.h"

#include "test-workers.h"

#include <sys/wait.h>
#include <unistd.h>

#define N_THREADS 8

typedef struct
{
  ConcurExecutor *executor;
  GThread *thread;      /* that runs the context, NULL: any */
  TestGate go;
  GArray *next;         /* owned by the context's thread: what to expect of each thread */
  gint n_called;        /* atomic */
  gint n_released;      /* atomic */
  gint n_wrong;         /* atomic */
} Inbox;

/* One post: the thread it comes from and its number there. */
typedef struct
{
  Inbox *inbox;
  guint from;
  guint number;
  gboolean called;
} Letter;

static void
letter_called (gpointer data)
{
  Letter *letter = data;
  Inbox *inbox = letter->inbox;
  guint *next = &g_array_index (inbox->next, guint, letter->from);

  if ((inbox->thread != NULL && inbox->thread != g_thread_self ()) || letter->number != *next
      || letter->called)
    g_atomic_int_inc (&inbox->n_wrong);
  *next = letter->number + 1;
  letter->called = TRUE;
  g_atomic_int_inc (&inbox->n_called);
}

static void
letter_released (gpointer data)
{
  Letter *letter = data;
  Inbox *inbox = letter->inbox;

  if ((inbox->thread != NULL && inbox->thread != g_thread_self ()) || !letter->called)
    g_atomic_int_inc (&inbox->n_wrong);
  g_free (letter);
  g_atomic_int_inc (&inbox->n_released);
}

static void
inbox_open (Inbox        *inbox,
            GMainContext *context,
            GThread      *thread)
{
  guint n = N_THREADS;

  *inbox = (Inbox){ .executor = CONCUR_EXECUTOR (concur_context_executor_new (context)) };
  inbox->thread = thread;
  inbox->next = g_array_new (FALSE, TRUE, sizeof (guint));
  g_array_set_size (inbox->next, n);
}

static void
inbox_close (Inbox *inbox)
{
  g_assert_cmpint (g_atomic_int_get (&inbox->n_wrong), ==, 0);
  g_array_unref (inbox->next);
  g_clear_object (&inbox->executor);
}

static void
inbox_post (Inbox *inbox,
            guint  from,
            guint  number)
{
  Letter *letter = g_new0 (Letter, 1);

  letter->inbox = inbox;
  letter->from = from;
  letter->number = number;
  g_assert_true (concur_executor_post (inbox->executor, letter_called, letter, letter_released));
}

typedef struct
{
  Inbox *inbox;
  guint from;
  guint n;
} Sender;

static gpointer
sender_thread (gpointer data)
{
  Sender *sender = data;

  test_gate_wait (&sender->inbox->go);
  for (guint i = 0; i < sender->n; i++)
    inbox_post (sender->inbox, sender->from, i);

  return NULL;
}

static void
send_from_threads (Inbox *inbox,
                   guint  n)
{
  GThread *threads[N_THREADS];
  Sender senders[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      senders[i] = (Sender){ .inbox = inbox, .from = i, .n = n };
      threads[i] = g_thread_new ("send", sender_thread, &senders[i]);
    }
  test_gate_open (&inbox->go);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
test_threads (void)
{
  TestLoop *loop = test_loop_new ();
  guint n = test_scaled (20000);
  Inbox inbox;

  inbox_open (&inbox, test_loop_get_context (loop), test_loop_get_thread (loop));
  test_shake_start ();
  send_from_threads (&inbox, n);
  test_shake_stop ();
  test_wait_until (g_atomic_int_get (&inbox.n_released) == (gint) (n * N_THREADS));
  g_assert_cmpint (g_atomic_int_get (&inbox.n_called), ==, n * N_THREADS);
  inbox_close (&inbox);
  test_loop_free (loop);
}

/* The loop falls asleep between any two of them. */
static void
test_one_by_one (void)
{
  TestLoop *loop = test_loop_new ();
  guint n = test_scaled (2000);
  Inbox inbox;

  inbox_open (&inbox, test_loop_get_context (loop), test_loop_get_thread (loop));
  test_shake_start ();
  for (guint i = 0; i < n; i++)
    {
      gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

      inbox_post (&inbox, 0, i);
      while (g_atomic_int_get (&inbox.n_released) <= (gint) i)
        {
          g_assert_cmpint (g_get_monotonic_time (), <, deadline);
          g_thread_yield ();
        }
    }
  test_shake_stop ();
  inbox_close (&inbox);
  test_loop_free (loop);
}

static void
test_nobody_runs_yet (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Inbox inbox;

  inbox_open (&inbox, context, NULL);
  send_from_threads (&inbox, 50);
  g_assert_cmpint (inbox.n_called, ==, 0);

  inbox.thread = g_thread_self ();
  test_iterate_until (context, inbox.n_released == 50 * N_THREADS);
  g_assert_cmpint (inbox.n_called, ==, 50 * N_THREADS);
  inbox_close (&inbox);
}

/* What happened, in the order it did. */
typedef struct
{
  ConcurExecutor *executor;
  GMainContext *context;
  GString *log;
} Log;

static void
log_open (Log *log)
{
  log->context = g_main_context_new ();
  log->executor = CONCUR_EXECUTOR (concur_context_executor_new (log->context));
  log->log = g_string_new (NULL);
}

static void
log_close (Log        *log,
           const char *expected)
{
  while (g_main_context_iteration (log->context, FALSE))
    ;
  g_assert_cmpstr (log->log->str, ==, expected);
  g_object_unref (log->executor);
  g_string_free (log->log, TRUE);
  g_main_context_unref (log->context);
}

#define LOG_FUNC(name, mark)                                                                       \
  static void name (gpointer log) { g_string_append (((Log *) log)->log, mark); }

LOG_FUNC (log_a, "a")
LOG_FUNC (log_b, "b")
LOG_FUNC (log_freed, ".")

static gboolean
log_source (gpointer log)
{
  g_string_append (((Log *) log)->log, "s");

  return G_SOURCE_REMOVE;
}

static void
log_attach (Log *log,
            int  priority)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, priority);
  g_source_set_callback (source, log_source, log, NULL);
  g_source_attach (source, log->context);
  g_source_unref (source);
}

static void
post_inside (gpointer data)
{
  Log *log = data;

  g_string_append (log->log, "(");
  g_assert_true (concur_executor_post (log->executor, log_a, log, log_freed));
  g_string_append (log->log, ")");
}

static void
test_inside_dispatch (void)
{
  Log log;

  log_open (&log);
  g_assert_true (concur_executor_post (log.executor, post_inside, &log, log_freed));
  g_assert_true (concur_executor_post (log.executor, log_b, &log, NULL));
  g_assert_cmpstr (log.log->str, ==, "");
  log_close (&log, "().ba.");
}

static void
post_and_nest (gpointer data)
{
  Log *log = data;

  g_string_append (log->log, "(");
  g_assert_true (concur_executor_post (log->executor, log_a, log, log_freed));
  while (g_main_context_iteration (log->context, FALSE))
    ;
  g_string_append (log->log, ")");
}

/* The nested loop goes on with what came before, then comes to what it waits for. */
static void
test_nested_loop (void)
{
  Log log;

  log_open (&log);
  g_assert_true (concur_executor_post (log.executor, post_and_nest, &log, log_freed));
  g_assert_true (concur_executor_post (log.executor, log_b, &log, log_freed));
  g_assert_true (concur_executor_post (log.executor, log_b, &log, log_freed));
  log_close (&log, "(b.b.a.).");
}

static void
test_below_redraw (void)
{
  Log log;

  log_open (&log);
  g_assert_true (concur_executor_post (log.executor, log_a, &log, NULL));
  log_attach (&log, G_PRIORITY_HIGH_IDLE + 20);
  log_attach (&log, G_PRIORITY_DEFAULT_IDLE);
  log_close (&log, "sas");
}

static void
test_priority (void)
{
  ConcurExecutor *urgent;
  Log log;

  log_open (&log);
  urgent = g_object_new (CONCUR_TYPE_CONTEXT_EXECUTOR, "context", log.context,
                         "priority", G_PRIORITY_HIGH, NULL);
  g_assert_true (concur_executor_post (log.executor, log_a, &log, NULL));
  g_assert_true (concur_executor_post (urgent, log_b, &log, NULL));
  log_attach (&log, G_PRIORITY_DEFAULT);
  while (g_main_context_iteration (log.context, FALSE))
    ;
  g_object_unref (urgent);
  log_close (&log, "bsa");
}

typedef struct
{
  ConcurExecutor *executor;
  guint n_ticks;
  guint n_posts;
  guint most;       /* posts between two ticks */
  guint since;
} Flood;

/* There is always one more. */
static void
flood_post (gpointer data)
{
  Flood *flood = data;

  flood->n_posts++;
  flood->since++;
  flood->most = MAX (flood->most, flood->since);
  if (flood->n_ticks < 5)
    g_assert_true (concur_executor_post (flood->executor, flood_post, flood, NULL));
}

static gboolean
flood_tick (gpointer data)
{
  Flood *flood = data;

  flood->since = 0;
  flood->n_ticks++;

  return G_SOURCE_CONTINUE;
}

static void
test_flood (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConcurContextExecutor) executor = concur_context_executor_new (context);
  Flood flood = { .executor = CONCUR_EXECUTOR (executor) };
  GSource *timer = g_timeout_source_new (1);
  GSource *drawing = g_idle_source_new ();
  Flood drawn = { .n_ticks = 0 };

  g_source_set_callback (timer, flood_tick, &flood, NULL);
  g_source_attach (timer, context);
  g_source_set_priority (drawing, G_PRIORITY_HIGH_IDLE + 20);
  g_source_set_callback (drawing, flood_tick, &drawn, NULL);

  for (guint i = 0; i < 1000; i++)
    g_assert_true (concur_executor_post (flood.executor, flood_post, &flood, NULL));
  test_iterate_until (context, flood.n_ticks == 5);
  g_assert_cmpuint (flood.n_posts, >, 0);

  /* What is always ready, but goes first, has its turn after a bounded number. */
  while (g_main_context_iteration (context, FALSE))
    ;
  flood.n_ticks = 0;
  g_source_destroy (timer);
  for (guint i = 0; i < 1000; i++)
    g_assert_true (concur_executor_post (flood.executor, flood_post, &flood, NULL));
  flood.n_posts = 0;
  g_main_context_iteration (context, FALSE);
  g_source_attach (drawing, context);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpuint (drawn.n_ticks, ==, 1);
  g_assert_cmpuint (flood.n_posts, <, 1000);
  g_source_destroy (drawing);
  flood.n_ticks = 5;
  while (g_main_context_iteration (context, FALSE))
    ;

  g_source_unref (timer);
  g_source_unref (drawing);
}

static void
never (gpointer data)
{
  g_assert_not_reached ();
}

/* Posts have no say in what keeps the context. */
static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_context_executor_new (context));
  TestReleases released = { .thread = g_thread_self () };

  for (guint i = 0; i < 10; i++)
    g_assert_true (concur_executor_post (executor, never, &released, test_released));
  g_assert_true (concur_executor_post (executor, never, NULL, NULL));
  g_main_context_unref (context);
  g_assert_cmpuint (test_releases_get (&released), ==, 0);
  g_object_unref (executor);
  g_assert_cmpuint (test_releases_get (&released), ==, 10);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
}

static gpointer
drop_context (gpointer context)
{
  g_main_context_unref (context);

  return NULL;
}

static gpointer
post_and_drop (gpointer data)
{
  Inbox *inbox = data;
  ConcurExecutor *executor = inbox->executor;

  test_gate_wait (&inbox->go);
  for (guint i = 0; i < 20; i++)
    g_assert_true (concur_executor_post (executor, never, &inbox->n_released,
                                         (GDestroyNotify) (void *) g_atomic_int_inc));
  g_object_unref (executor);

  return NULL;
}

/* One thread posts and lets go of the executor, one of the context: each post is let go
 * once, by whoever is last. */
static void
test_context_gone_race (void)
{
  guint rounds = test_scaled (300);

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      GMainContext *context = g_main_context_new ();
      Inbox inbox = { .executor = CONCUR_EXECUTOR (concur_context_executor_new (context)) };
      GThread *poster = g_thread_new ("post", post_and_drop, &inbox);
      GThread *dropper = g_thread_new ("drop", drop_context, context);

      test_gate_open (&inbox.go);
      g_thread_join (poster);
      g_thread_join (dropper);
      g_assert_cmpint (g_atomic_int_get (&inbox.n_released), ==, 20);
    }
  test_shake_stop ();
}

static void
test_last_unref (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Inbox inbox;

  inbox_open (&inbox, context, g_thread_self ());
  send_from_threads (&inbox, 0);
  inbox.thread = g_thread_self ();
  for (guint i = 0; i < 300; i++)
    inbox_post (&inbox, 0, i);
  g_clear_object (&inbox.executor);
  g_assert_cmpint (inbox.n_called, ==, 0);
  test_iterate_until (context, inbox.n_released == 300);
  inbox_close (&inbox);
}

static void
test_shut_down (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  TestReleases released = { .thread = g_thread_self () };
  Inbox inbox;
  ConcurFuture *end;

  inbox_open (&inbox, context, g_thread_self ());
  inbox_post (&inbox, 0, 0);
  end = concur_executor_shutdown (inbox.executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_false (concur_executor_post (inbox.executor, never, &released, test_released));
  g_assert_false (concur_executor_post (inbox.executor, never, NULL, NULL));
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);

  /* What was posted before is run in every mode. */
  g_assert_false (concur_future_is_done (end));
  test_iterate_until (context, concur_future_is_done (end));
  g_assert_cmpint (inbox.n_called, ==, 1);
  g_assert_cmpint (inbox.n_released, ==, 1);
  g_object_unref (end);
  inbox_close (&inbox);
}

typedef struct
{
  TestGate called;
  GThread *thread;
  TestReleases released;
} Job;

static void
job_called (gpointer data)
{
  Job *job = data;

  job->thread = g_thread_self ();
  g_assert_nonnull (concur_job_get_current ());
  test_gate_open (&job->called);
}

static void
job_released (gpointer data)
{
  test_released (&((Job *) data)->released);
}

static void
test_thread_executor (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  Job job = { .released = { .thread = g_thread_self () } };
  TestReleases refused = { .thread = g_thread_self () };
  ConcurFuture *end;

  g_assert_true (concur_executor_post (executor, job_called, &job, job_released));
  test_gate_wait (&job.called);
  g_assert_true (job.thread != g_thread_self ());
  test_wait_until (test_releases_get (&job.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&job.released), ==, 0);

  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  test_assert_done (end);
  g_assert_false (concur_executor_post (executor, never, &refused, test_released));
  g_assert_cmpuint (test_releases_get (&refused), ==, 1);
  g_assert_false (concur_executor_post (executor, never, NULL, NULL));
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&refused), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&refused), ==, 0);
  g_object_unref (end);
  g_object_unref (executor);
}

static void
test_thread_executor_full (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, "overflow", CONCUR_OVERFLOW_REJECT,
                                           NULL);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (executor, test_clog_job, &clog);
  Job job = { .released = { .thread = g_thread_self () } };
  TestReleases refused = { .thread = g_thread_self () };

  test_gate_wait (&clog.begun);
  g_assert_true (concur_executor_post (executor, job_called, &job, job_released));
  g_assert_false (concur_executor_post (executor, never, &refused, test_released));
  g_assert_cmpuint (test_releases_get (&refused), ==, 1);
  test_gate_open (&clog.go);
  test_gate_wait (&job.called);
  test_executor_end (executor);
  test_wait_until (test_releases_get (&job.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&job.released), ==, 0);
}

/* By its status it says which check failed. */
static int
in_child (ConcurExecutor *executor,
          GMainContext   *context)
{
  TestReleases released = { 0 };
  ConcurExecutor *fresh = CONCUR_EXECUTOR (concur_context_executor_new (context));
  g_autoptr (ConcurFuture) end = NULL, future = NULL;

  if (concur_executor_post (executor, never, &released, test_released))
    return 1;
  if (concur_executor_post (fresh, never, &released, test_released))
    return 2;
  if (concur_executor_post (concur_executor_get_default (), never, &released, test_released))
    return 3;
  if (test_releases_get (&released) != 3)
    return 4;
  future = test_submit (executor, test_one_job, NULL);
  if (!g_error_matches (concur_future_get_error (future), CONCUR_EXECUTOR_ERROR,
                        CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 5;
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  if (!g_error_matches (concur_future_get_error (end), CONCUR_EXECUTOR_ERROR,
                        CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 6;
  g_object_unref (fresh);

  return 0;
}

static void
test_forked (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Inbox inbox;
  pid_t pid;
  int status;

  inbox_open (&inbox, context, g_thread_self ());
  inbox_post (&inbox, 0, 0);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (50);
      _exit (in_child (inbox.executor, context));
    }
  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);

  test_iterate_until (context, inbox.n_released == 1);
  inbox_close (&inbox);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurContextExecutor) executor = concur_context_executor_new (NULL);

  test_critical (g_assert_false (concur_executor_post (NULL, never, NULL, NULL)));
  test_critical (
    g_assert_false (concur_executor_post (CONCUR_EXECUTOR (executor), NULL, NULL, NULL)));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  /* First, so that nothing else has made the library watch for a fork. */
  g_test_add_func ("/post/forked", test_forked);
  g_test_add_func ("/post/threads", test_threads);
  g_test_add_func ("/post/one-by-one", test_one_by_one);
  g_test_add_func ("/post/nobody-runs-yet", test_nobody_runs_yet);
  g_test_add_func ("/post/inside-dispatch", test_inside_dispatch);
  g_test_add_func ("/post/nested-loop", test_nested_loop);
  g_test_add_func ("/post/below-redraw", test_below_redraw);
  g_test_add_func ("/post/priority", test_priority);
  g_test_add_func ("/post/flood", test_flood);
  g_test_add_func ("/post/context-gone", test_context_gone);
  g_test_add_func ("/post/context-gone-race", test_context_gone_race);
  g_test_add_func ("/post/last-unref", test_last_unref);
  g_test_add_func ("/post/shut-down", test_shut_down);
  g_test_add_func ("/post/thread-executor", test_thread_executor);
  g_test_add_func ("/post/thread-executor-full", test_thread_executor_full);
  g_test_add_func ("/post/mistakes", test_mistakes);

  return test_run ();
}
