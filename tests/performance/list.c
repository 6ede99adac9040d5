/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W-list: n numbers come from a thread and become items of a list in a running main loop,
 * where something else, such as an animation, wants to have its turn every 16 ms. */

#include "bench.h"

#define TICK_MS 16
#define CAPACITY 1024

static struct
{
  GMainLoop *main;
  GListStore *store;
  ConcurChannel *channel;
  BenchGate gate;
  void (*give) (int number);

  gint64 sum;
  int slow_per_item;           /* rounds of work in the handlers of the list */
  int slow_per_change;
  guint64 tick, gap;
} list = { .give = NULL };

/* What becomes of the items; in a program widgets are bound to them. */
static void
on_items_changed (GListModel *model,
                  guint       position,
                  guint       removed,
                  guint       added,
                  gpointer    data)
{
  bench_options.work = list.slow_per_change + list.slow_per_item * (int) added;
  bench_work (position);

  if (position + added == (guint) bench_options.n)
    g_main_loop_quit (list.main);
}

static GObject *
item_new (gint64 number)
{
  list.sum += number;

  return g_object_new (BENCH_TYPE_OBJECT, NULL);
}

static gboolean
tick (gpointer data)
{
  guint64 now = bench_now_ns ();

  list.gap = MAX (list.gap, now - list.tick);
  list.tick = now;

  return G_SOURCE_CONTINUE;
}

static gpointer
produce (gpointer data)
{
  bench_gate_pass (&list.gate);
  for (int i = 1; i <= bench_options.n; i++)
    list.give (i);

  return NULL;
}

static void
measure (void (*give)  (int number),
         void (*begin) (void))
{
  GSource *timer = g_timeout_source_new (TICK_MS);

  g_source_set_callback (timer, tick, NULL, NULL);
  g_source_attach (timer, NULL);
  bench_own_main_context ();
  list.main = g_main_loop_new (NULL, FALSE);
  list.give = give;

  for (int i = 0; i < bench_options.repeat; i++)
    {
      GThread *producer = g_thread_new ("producer", produce, NULL);

      list.store = g_list_store_new (BENCH_TYPE_OBJECT);
      g_signal_connect (list.store, "items-changed", G_CALLBACK (on_items_changed), NULL);
      list.sum = 0;
      if (begin != NULL)
        begin ();

      bench_gate_full (&list.gate, 1);
      list.tick = bench_now_ns ();
      bench_start ();
      bench_gate_open (&list.gate);
      g_main_loop_run (list.main);
      bench_stop ();
      tick (NULL);
      bench_check_sum (list.sum, bench_options.n);

      g_thread_join (producer);
      if (list.channel != NULL)
        concur_channel_stop (list.channel);
      g_clear_object (&list.channel);
      g_clear_object (&list.store);
    }
  bench_report ("gap", (double) list.gap / 1e6);

  g_source_destroy (timer);
  g_source_unref (timer);
  g_main_loop_unref (list.main);
}

static void
send (int number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, number);
  concur_channel_send_wait (list.channel, &value, -1, NULL);
}

static GObject *
make_item (const GValue *value,
           gpointer      data)
{
  return item_new (g_value_get_int64 (value));
}

static void
bind (void)
{
  list.channel = concur_channel_new (0);
  g_object_unref (concur_channel_bind_list_store (list.channel, list.store, make_item, NULL, NULL));
}

static void
bind_bounded (void)
{
  list.channel = concur_channel_new (CAPACITY);
  g_object_unref (concur_channel_bind_list_store (list.channel, list.store, make_item, NULL, NULL));
}

static void
run_bind (void)
{
  measure (send, bind);
}

static void
run_bind_bounded (void)
{
  measure (send, bind_bounded);
}

/* About 2 µs, and 1 ms, of work. */

static void
run_bind_slow (void)
{
  list.slow_per_item = 1600;
  measure (send, bind);
}

static void
run_bind_fixed (void)
{
  list.slow_per_change = 800000;
  measure (send, bind);
}

static gboolean
append_value (ConcurChannel *channel,
              const GValue  *value,
              gpointer       data)
{
  GObject *item = item_new (g_value_get_int64 (value));

  g_list_store_append (list.store, item);
  g_object_unref (item);

  return TRUE;
}

static void
each (void)
{
  list.channel = concur_channel_new (0);
  g_object_unref (concur_channel_for_each (list.channel, append_value, NULL, NULL, NULL));
}

static void
run_each (void)
{
  measure (send, each);
}

/* What programs do without a channel */

static gboolean
append_number (gpointer number)
{
  GObject *item = item_new (GPOINTER_TO_INT (number));

  g_list_store_append (list.store, item);
  g_object_unref (item);

  return G_SOURCE_REMOVE;
}

static void
give_idle (int number)
{
  g_idle_add (append_number, GINT_TO_POINTER (number));
}

static void
give_invoke (int number)
{
  g_main_context_invoke (NULL, append_number, GINT_TO_POINTER (number));
}

static void
run_idle (void)
{
  measure (give_idle, NULL);
}

static void
run_invoke (void)
{
  measure (give_invoke, NULL);
}

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "bind", run_bind },
    { "bind-bounded", run_bind_bounded },
    { "bind-slow", run_bind_slow },
    { "bind-fixed", run_bind_fixed },
    { "each", run_each },
    { "idle", run_idle },
    { "invoke", run_invoke },
    { NULL }
  };

  g_mutex_init (&list.gate.lock);
  g_cond_init (&list.gate.cond);

  return bench_main (argc, argv, cases);
}
