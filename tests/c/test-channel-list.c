/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a channel into a list. */

#include "config.h"

#include "test-generate.h"

/* Items with a number. */
#define TEST_TYPE_ITEM (test_item_get_type ())
G_DECLARE_FINAL_TYPE (TestItem, test_item, TEST, ITEM, GInitiallyUnowned)

struct _TestItem
{
  GInitiallyUnowned parent_instance;
  gint64 number;
};

G_DEFINE_FINAL_TYPE (TestItem, test_item, G_TYPE_INITIALLY_UNOWNED)

static gint n_items_alive;     /* atomic */

static void
test_item_finalize (GObject *object)
{
  g_atomic_int_add (&n_items_alive, -1);

  G_OBJECT_CLASS (test_item_parent_class)->finalize (object);
}

static void
test_item_class_init (TestItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_item_finalize;
}

static void
test_item_init (TestItem *self)
{
  g_atomic_int_inc (&n_items_alive);
}

/* What the list has seen, and what is to happen meanwhile. */
typedef struct
{
  ConcurChannel *channel;
  GListStore *store;
  ConcurFuture *future;        /* (owned) once it has begun */
  TestReleases releases;

  guint n_made;
  guint n_changes;             /* of the list */
  guint slow_us;               /* each change takes that long */
  gint64 skip;                 /* no items for numbers that this divides; 0: for all */
  gint64 stop_at;              /* the factory does it */
  gint64 cancel_at;
  gint64 wrong_at;             /* the factory makes something else */
  gboolean stop_at_change;     /* the handler does it */
  gboolean cancel_at_change;
} List;

static void
drain_main_context (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
on_items_changed (GListModel *model,
                  guint       position,
                  guint       removed,
                  guint       added,
                  gpointer    data)
{
  List *list = data;

  g_assert_cmpuint (removed, ==, 0);
  g_assert_cmpuint (added, >, 0);
  g_assert_cmpuint (position + added, ==, g_list_model_get_n_items (model));
  list->n_changes++;

  if (list->slow_us > 0)
    {
      gint64 until = g_get_monotonic_time () + list->slow_us;

      while (g_get_monotonic_time () < until)
        ;
    }
  if (list->stop_at_change)
    concur_channel_stop (list->channel);
  if (list->cancel_at_change)
    concur_future_cancel (list->future, CONCUR_CANCEL_NONE);
}

static GObject *
make_item (const GValue *value,
           gpointer      data)
{
  List *list = data;
  gint64 number = g_value_get_int64 (value);
  TestItem *item;

  list->n_made++;
  if (number == list->stop_at)
    g_assert_true (concur_channel_stop (list->channel));
  if (number == list->cancel_at)
    g_assert_true (concur_future_cancel (list->future, CONCUR_CANCEL_NONE));
  if (number == list->wrong_at)
    return g_object_new (G_TYPE_OBJECT, NULL);
  if (list->skip > 0 && number % list->skip == 0)
    return NULL;

  /* It may be floating or not. */
  item = g_object_new (TEST_TYPE_ITEM, NULL);
  item->number = number;
  if (number % 2 == 0)
    g_object_ref_sink (item);

  return G_OBJECT (item);
}

static void
list_init (List *list,
           guint capacity)
{
  *list = (List) { concur_channel_new (capacity), g_list_store_new (TEST_TYPE_ITEM),
                   .stop_at = -1, .cancel_at = -1, .wrong_at = -1 };
  list->releases.thread = g_thread_self ();
  g_signal_connect (list->store, "items-changed", G_CALLBACK (on_items_changed), list);
}

static void
list_released (gpointer data)
{
  test_released (&((List *) data)->releases);
}

static void
list_begin (List *list)
{
  list->future = concur_channel_bind_list_store (list->channel, list->store, make_item, list,
                                                 list_released);
}

static void
list_until_done (List *list)
{
  test_iterate_until (NULL,
                      concur_future_get_state (list->future) != CONCUR_FUTURE_STATE_PENDING);
  drain_main_context ();
}

static guint
list_length (List *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (list->store));
}

static gint64
list_number (List  *list,
             guint  position)
{
  g_autoptr (TestItem) item = g_list_model_get_item (G_LIST_MODEL (list->store), position);

  /* One of the list's, one of ours. */
  g_assert_cmpuint (G_OBJECT (item)->ref_count, ==, 2);
  g_assert_false (g_object_is_floating (item));

  return item->number;
}

/* It has ended; nothing of it is left. */
static void
list_clear (List *list)
{
  g_assert_cmpuint (test_releases_get (&list->releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&list->releases), ==, 0);
  g_assert_cmpuint (G_OBJECT (list->store)->ref_count, ==, 1);
  g_clear_object (&list->future);
  g_clear_object (&list->store);
  g_clear_object (&list->channel);
  g_assert_cmpint (g_atomic_int_get (&n_items_alive), ==, 0);
  assert_nothing_left ();
}

static void
put_ints (ConcurChannel *channel,
          gint64         first,
          guint          n)
{
  for (guint i = 0; i < n; i++)
    put_int (channel, first + i);
}

static void
put_object (ConcurChannel *channel,
            gpointer       object)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_OBJECT);
  g_value_take_object (&value, object);
  g_assert_true (concur_channel_try_send (channel, &value, NULL));
  g_value_unset (&value);
}

static void
test_all (void)
{
  guint n = 1000;
  List list;

  list_init (&list, 0);
  put_ints (list.channel, 0, 5);
  list_begin (&list);
  g_assert_cmpuint (list_length (&list), ==, 0);
  test_iterate_until (NULL, list_length (&list) == 5);
  g_assert_cmpuint (list.n_changes, ==, 1);

  /* It comes back for more, and not for each alone. */
  put_ints (list.channel, 5, n - 5);
  test_iterate_until (NULL, list_length (&list) == n);
  g_assert_cmpuint (list.n_changes, <, n / 4);
  assert_pending (list.future);

  concur_channel_close (list.channel);
  list_until_done (&list);
  test_assert_int64 (list.future, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (list_number (&list, i), ==, i);
  list_clear (&list);
}

/* Others may change the list as well. */
static void
test_shared_list (void)
{
  List list;

  list_init (&list, 0);
  put_ints (list.channel, 0, 2);
  list_begin (&list);
  test_iterate_until (NULL, list_length (&list) == 2);
  g_signal_handlers_disconnect_by_data (list.store, &list);
  g_list_store_remove (list.store, 0);
  put_ints (list.channel, 2, 1);
  concur_channel_close (list.channel);
  list_until_done (&list);
  test_assert_int64 (list.future, 3);
  g_assert_cmpuint (list_length (&list), ==, 2);
  g_assert_cmpint (list_number (&list, 0), ==, 1);
  g_assert_cmpint (list_number (&list, 1), ==, 2);
  list_clear (&list);
}

static void
test_left_out (void)
{
  List list;

  list_init (&list, 0);
  list.skip = 3;
  put_ints (list.channel, 0, 300);
  concur_channel_close (list.channel);
  list_begin (&list);
  list_until_done (&list);
  test_assert_int64 (list.future, 200);
  g_assert_cmpuint (list_length (&list), ==, 200);
  for (guint i = 0; i < 200; i++)
    g_assert_cmpint (list_number (&list, i), ==, i / 2 * 3 + i % 2 + 1);
  list_clear (&list);

  /* All of them: then there is no change. */
  list_init (&list, 0);
  list.skip = 1;
  put_ints (list.channel, 0, 30);
  concur_channel_close (list.channel);
  list_begin (&list);
  list_until_done (&list);
  test_assert_int64 (list.future, 0);
  g_assert_cmpuint (list.n_changes, ==, 0);
  list_clear (&list);
}

static void
test_objects (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GListStore) store = g_list_store_new (G_TYPE_INITIALLY_UNOWNED);
  TestReleases releases = { 0 };

  /* Also those of a derived type. */
  for (guint i = 0; i < 100; i++)
    put_object (channel, g_object_ref_sink (g_object_new (TEST_TYPE_ITEM, NULL)));
  future = concur_channel_bind_list_store (channel, store, NULL, &releases, test_released);
  test_iterate_until (NULL, g_list_model_get_n_items (G_LIST_MODEL (store)) == 100);
  concur_channel_close (channel);
  test_iterate_until (NULL, concur_future_get_state (future) != CONCUR_FUTURE_STATE_PENDING);
  test_assert_int64 (future, 100);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_clear_object (&store);
  g_assert_cmpint (g_atomic_int_get (&n_items_alive), ==, 0);
}

static void
test_wrong (void)
{
  for (guint how = 0; how < 3; how++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (0);
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GListStore) store = g_list_store_new (TEST_TYPE_ITEM);

      put_object (channel, g_object_ref_sink (g_object_new (TEST_TYPE_ITEM, NULL)));
      if (how == 0)
        put_int (channel, 7);
      else if (how == 1)
        g_assert_true (concur_channel_try_send (channel, NULL, NULL));
      else
        put_object (channel, g_object_new (G_TYPE_OBJECT, NULL));
      put_object (channel, g_object_ref_sink (g_object_new (TEST_TYPE_ITEM, NULL)));

      future = concur_channel_bind_list_store (channel, store, NULL, NULL, NULL);
      test_iterate_until (NULL, concur_future_get_state (future) != CONCUR_FUTURE_STATE_PENDING);
      test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);
      g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (store)), ==, 1);
      assert_no_send (channel, CONCUR_CHANNEL_ERROR_STOPPED);
    }
  g_assert_cmpint (g_atomic_int_get (&n_items_alive), ==, 0);
}

static void
test_wrong_made (void)
{
  List list;

  list_init (&list, 0);
  list.wrong_at = 4;
  put_ints (list.channel, 0, 10);
  list_begin (&list);
  list_until_done (&list);
  test_assert_error (list.future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);
  g_assert_cmpuint (list_length (&list), ==, 4);
  g_assert_cmpuint (list.n_made, ==, 5);
  assert_no_send (list.channel, CONCUR_CHANNEL_ERROR_STOPPED);
  list_clear (&list);
}

static void
test_failed (void)
{
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  List list;

  list_init (&list, 0);
  put_ints (list.channel, 0, 40);
  concur_channel_fail (list.channel, own);
  list_begin (&list);
  list_until_done (&list);
  test_assert_error (list.future, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpuint (list_length (&list), ==, 40);
  list_clear (&list);
}

/* Nothing is appended after stop (), wherever in the turn that is. */
static void
test_stop (void)
{
  List list;

  /* Values are on their way, all of them. */
  list_init (&list, 0);
  put_ints (list.channel, 0, 10);
  concur_channel_close (list.channel);
  list_begin (&list);
  g_assert_cmpuint (concur_channel_get_length (list.channel), ==, 0);
  g_assert_true (concur_channel_stop (list.channel));
  list_until_done (&list);
  test_assert_cancelled (list.future);
  g_assert_cmpuint (list_length (&list), ==, 0);
  g_assert_cmpuint (list.n_made, ==, 0);
  list_clear (&list);

  /* Items are made. */
  list_init (&list, 0);
  list.stop_at = 7;
  put_ints (list.channel, 0, 10);
  list_begin (&list);
  list_until_done (&list);
  test_assert_cancelled (list.future);
  g_assert_cmpuint (list_length (&list), ==, 0);
  g_assert_cmpuint (list.n_made, ==, 8);
  list_clear (&list);

  /* In the list's handler, between two turns. */
  list_init (&list, 0);
  list.stop_at_change = TRUE;
  put_ints (list.channel, 0, 1000);
  list_begin (&list);
  list_until_done (&list);
  test_assert_cancelled (list.future);
  g_assert_cmpuint (list.n_changes, ==, 1);
  g_assert_cmpuint (list_length (&list), ==, list.n_made);
  list_clear (&list);

  /* While it waits. */
  list_init (&list, 0);
  list_begin (&list);
  drain_main_context ();
  g_assert_true (concur_channel_stop (list.channel));
  list_until_done (&list);
  test_assert_cancelled (list.future);
  list_clear (&list);
}

static void
test_cancel (void)
{
  guint n;
  List list;

  /* On the way. */
  list_init (&list, 0);
  put_ints (list.channel, 0, 10);
  list_begin (&list);
  concur_future_cancel (list.future, CONCUR_CANCEL_NONE);
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (take_int (list.channel), ==, i);
  list_until_done (&list);
  g_assert_cmpuint (list_length (&list), ==, 0);
  list_clear (&list);

  /* By the factory, for a second batch, too. */
  for (gint64 at = 7; at <= 40; at += 33)
    {
      list_init (&list, 0);
      list.cancel_at = at;
      put_ints (list.channel, 0, 100);
      list_begin (&list);
      list_until_done (&list);
      test_assert_cancelled (list.future);
      n = list_length (&list);
      g_assert_cmpuint (n, <=, at);
      g_assert_cmpuint (concur_channel_get_length (list.channel), ==, 100 - n);
      for (guint i = n; i < 100; i++)
        g_assert_cmpint (take_int (list.channel), ==, i);
      list_clear (&list);
    }

  /* By the list's handler. */
  list_init (&list, 0);
  list.cancel_at_change = TRUE;
  put_ints (list.channel, 0, 100);
  list_begin (&list);
  list_until_done (&list);
  test_assert_cancelled (list.future);
  g_assert_cmpuint (list.n_changes, ==, 1);
  n = list_length (&list);
  g_assert_cmpuint (n, ==, list.n_made);
  g_assert_cmpint (take_int (list.channel), ==, n);
  list_clear (&list);
}

/* The store belongs to nobody else. */
static void
test_keeps_store (void)
{
  List list;
  TestReleases gone = { 0 };

  list_init (&list, 0);
  list_begin (&list);
  test_releases_watch (&gone, list.store);
  g_object_unref (list.store);
  put_ints (list.channel, 0, 3);
  test_iterate_until (NULL, list.n_changes == 1);
  g_assert_cmpuint (test_releases_get (&gone), ==, 0);
  concur_channel_close (list.channel);
  list_until_done (&list);
  g_assert_cmpuint (test_releases_get (&gone), ==, 1);
  g_clear_object (&list.future);
  g_clear_object (&list.channel);
  g_assert_cmpuint (test_releases_get (&list.releases), ==, 1);
  assert_nothing_left ();
}

static void
bind_here (gpointer data)
{
  list_begin (data);
}

/* In the context that it was asked for in. */
static void
test_context (void)
{
  TestLoop *loop = test_loop_new ();
  List list;

  list_init (&list, 0);
  list.releases.thread = test_loop_get_thread (loop);
  test_loop_call (loop, bind_here, &list);
  put_ints (list.channel, 0, 1000);
  concur_channel_close (list.channel);
  test_assert_done (list.future);
  test_assert_int64 (list.future, 1000);
  g_assert_cmpuint (list_length (&list), ==, 1000);
  list_clear (&list);
  test_loop_free (loop);
}

static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  List list;

  list_init (&list, 0);
  put_ints (list.channel, 0, 5);
  g_main_context_push_thread_default (context);
  list_begin (&list);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  test_assert_cancelled (list.future);
  g_assert_cmpuint (concur_channel_get_length (list.channel), ==, 5);
  list_clear (&list);
}

/* However slow the handlers are: the loop has its turn in between, and batches are as large
 * as that allows. */
static gboolean
ready (gpointer n)
{
  ++*(guint *) n;

  return G_SOURCE_CONTINUE;
}

static void
test_slow (void)
{
  guint n_ready = 0;
  guint id;
  List list;

  list_init (&list, 0);
  list.slow_us = 1000;
  put_ints (list.channel, 0, 20000);
  concur_channel_close (list.channel);
  list_begin (&list);
  id = g_timeout_add (1, ready, &n_ready);
  list_until_done (&list);
  test_assert_int64 (list.future, 20000);
  g_assert_cmpuint (n_ready, >=, list.n_changes - 1);
  /* They do not get smaller because a change takes long, however little is in it. */
  g_assert_cmpuint (list.n_changes, <, 20000 / 32);
  g_source_remove (id);
  list_clear (&list);
}

static gboolean
send_numbers (ConcurJob      *job,
              ConcurChannel  *channel,
              gpointer        data,
              GError        **error)
{
  for (gsize i = 0; i < GPOINTER_TO_SIZE (data); i++)
    {
      GValue value;

      set_int (&value, (gint64) i);
      if (!concur_channel_send_wait (channel, &value, -1, error))
        return FALSE;
    }

  return TRUE;
}

static void
test_generate (void)
{
  for (guint capacity = 0; capacity <= 2048; capacity = capacity == 0 ? 1 : capacity * 2048)
    {
      ConcurExecutor *pool = pool_new (1);
      gsize n = test_scaled (capacity == 1 ? 5000 : 100000);
      List list;

      list_init (&list, 0);
      g_object_unref (list.channel);
      list.channel = concur_executor_generate (pool, send_numbers, GSIZE_TO_POINTER (n), NULL,
                                               capacity, NULL);
      list_begin (&list);
      list_until_done (&list);
      test_assert_int64 (list.future, n);
      g_assert_cmpuint (list_length (&list), ==, n);
      g_assert_cmpint (list_number (&list, n - 1), ==, n - 1);
      g_test_message ("capacity %u: %u batches", capacity, list.n_changes);
      test_executor_end (pool);
      list_clear (&list);
    }
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (GListStore) store = g_list_store_new (TEST_TYPE_ITEM);
  g_autoptr (ConcurFuture) future = NULL;

  test_critical (future = concur_channel_bind_list_store (NULL, store, NULL, NULL, NULL));
  test_critical (future = concur_channel_bind_list_store (channel, NULL, NULL, NULL, NULL));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-list/all", test_all);
  g_test_add_func ("/channel-list/shared-list", test_shared_list);
  g_test_add_func ("/channel-list/left-out", test_left_out);
  g_test_add_func ("/channel-list/objects", test_objects);
  g_test_add_func ("/channel-list/wrong", test_wrong);
  g_test_add_func ("/channel-list/wrong/made", test_wrong_made);
  g_test_add_func ("/channel-list/failed", test_failed);
  g_test_add_func ("/channel-list/stop", test_stop);
  g_test_add_func ("/channel-list/cancel", test_cancel);
  g_test_add_func ("/channel-list/keeps-store", test_keeps_store);
  g_test_add_func ("/channel-list/context", test_context);
  g_test_add_func ("/channel-list/context-gone", test_context_gone);
  g_test_add_func ("/channel-list/slow", test_slow);
  g_test_add_func ("/channel-list/generate", test_generate);
  g_test_add_func ("/channel-list/mistakes", test_mistakes);

  return test_run ();
}
