/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes home to a main loop: the loop never sleeps on something that was posted,
 * a callback comes once or, disconnected in its own thread, not at all, and a context
 * that goes away lets go of what was on its way.
 *
 * The main context is GLib's own. Only where it would sleep in poll () it parks in the
 * model instead, until g_main_context_wakeup () or a new source. */

#include "config.h"

#include "concur-future-private.h"
#include "concur-promise.h"
#include "explore-models.h"

#include <poll.h>

#define N_PROMISES 2

typedef struct
{
  GMainContext *context;
  ConcurPromise *promises[N_PROMISES];
  ConcurFuture *futures[N_PROMISES];
  gulong callbacks[N_PROMISES];
  guint n_called;
  guint n_destroyed;
  guint n_added;
  guint n_expected;
} LoopModel;

static ConcurWord woken;

gint         explore_poll                 (GPollFD      *fds,
                                           guint         n_fds,
                                           gint          timeout);
extern void  __real_g_main_context_wakeup (GMainContext *context);
void         __wrap_g_main_context_wakeup (GMainContext *context);
extern guint __real_g_source_attach       (GSource      *source,
                                           GMainContext *context);
guint        __wrap_g_source_attach       (GSource      *source,
                                           GMainContext *context);

static void
wake_loop (void)
{
  if (explore_inside ())
    {
      concur_atomic_store (&woken, 1, CONCUR_SEQ_CST);
      concur_unpark_all (&woken);
    }
}

void
__wrap_g_main_context_wakeup (GMainContext *context)
{
  __real_g_main_context_wakeup (context);
  wake_loop ();
}

guint
__wrap_g_source_attach (GSource      *source,
                        GMainContext *context)
{
  guint id = __real_g_source_attach (source, context);

  wake_loop ();

  return id;
}

gint
explore_poll (GPollFD *fds,
              guint    n_fds,
              gint     timeout)
{
  gint ready;

  while ((ready = poll ((struct pollfd *) fds, n_fds, 0)) == 0 && timeout != 0)
    {
      while (!concur_atomic_load (&woken, CONCUR_SEQ_CST))
        {
          if (!concur_park (&woken, 0, timeout < 0 ? -1 : concur_deadline (timeout)))
            return 0;
        }
      concur_atomic_store (&woken, 0, CONCUR_SEQ_CST);
    }

  return ready;
}

static void
called (ConcurFuture *future,
        gpointer      data)
{
  LoopModel *model = data;

  explore_check (g_main_context_is_owner (model->context));
  explore_check (concur_future_is_done (future));
  model->n_called++;
}

static void
destroyed (gpointer data)
{
  ((LoopModel *) data)->n_destroyed++;
}

static void
add_callback (LoopModel *model,
              guint      which)
{
  model->n_added++;
  model->callbacks[which] = concur_future_when_done (model->futures[which], called, model,
                                                     destroyed, model->context);
}

static gpointer
setup_without_callbacks (void)
{
  LoopModel *model = g_new0 (LoopModel, 1);
  guint i;

  concur_atomic_init (&woken, 0);
  explore_label (&woken, "woken");
  model->context = g_main_context_new ();
  g_main_context_set_poll_func (model->context, explore_poll);
  for (i = 0; i < N_PROMISES; i++)
    {
      model->promises[i] = concur_promise_new ();
      model->futures[i] = g_object_ref (concur_promise_get_future (model->promises[i]));
    }

  return model;
}

static gpointer
setup_one (void)
{
  LoopModel *model = setup_without_callbacks ();

  add_callback (model, 0);
  model->n_expected = 1;

  return model;
}

static gpointer
setup_two (void)
{
  LoopModel *model = setup_one ();

  add_callback (model, 1);
  model->n_expected = 2;

  return model;
}

static void
teardown (gpointer data)
{
  LoopModel *model = data;
  guint i;

  for (i = 0; i < N_PROMISES; i++)
    {
      concur_promise_resolve_double (model->promises[i], 0);
      g_clear_object (&model->promises[i]);
      explore_check (G_OBJECT (model->futures[i])->ref_count == 1);
      g_clear_object (&model->futures[i]);
    }
  g_clear_pointer (&model->context, g_main_context_unref);
  concur_release_pending ();
  explore_check (model->n_destroyed == model->n_added);
  g_free (model);
}

static void
resolve_0 (gpointer data)
{
  concur_promise_resolve_double (((LoopModel *) data)->promises[0], 1);
}

static void
resolve_1 (gpointer data)
{
  concur_promise_resolve_double (((LoopModel *) data)->promises[1], 1);
}

static void
add_callback_0 (gpointer data)
{
  add_callback (data, 0);
}

static void
run_loop (gpointer data)
{
  LoopModel *model = data;

  g_main_context_push_thread_default (model->context);
  while (model->n_destroyed < MAX (model->n_expected, 1))
    g_main_context_iteration (model->context, TRUE);
  g_main_context_pop_thread_default (model->context);
}

/* On the context's own thread: no call after that. */
static void
disconnect (gpointer data)
{
  LoopModel *model = data;
  guint before;

  g_main_context_push_thread_default (model->context);
  concur_future_disconnect_done (model->futures[0], model->callbacks[0]);
  before = model->n_called;
  while (g_main_context_iteration (model->context, FALSE))
    ;
  explore_check (model->n_called == before);
  g_main_context_pop_thread_default (model->context);
}

static void
drop_context (gpointer data)
{
  LoopModel *model = data;

  while (g_main_context_iteration (model->context, FALSE))
    ;
  g_clear_pointer (&model->context, g_main_context_unref);
}

static void
finish (gpointer data)
{
  LoopModel *model = data;

  explore_check (model->n_called == model->n_added && model->n_destroyed == model->n_added);
}

static void
finish_disconnected (gpointer data)
{
  LoopModel *model = data;

  /* What was on its way is let go when it arrives. */
  while (g_main_context_iteration (model->context, FALSE))
    ;
  explore_check (model->n_called == 0 && model->n_destroyed == 1);
}

#define LOOP_MODEL(prepare, check)                                                                 \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_loop_models[] = {
  {
    LOOP_MODEL (setup_two, finish),
    .name = "loop-two-posts",
    .threads = { run_loop, resolve_0, resolve_1 },
    .bugs = { "loop-without-look" },
  },
  {
    LOOP_MODEL (setup_without_callbacks, finish),
    .name = "loop-callback-added",
    .threads = { run_loop, add_callback_0, resolve_0 },
  },
  {
    LOOP_MODEL (setup_one, finish_disconnected),
    .name = "loop-disconnected",
    .threads = { disconnect, resolve_0 },
    .more = 1,
  },
  {
    LOOP_MODEL (setup_one, NULL),
    .name = "loop-context-gone",
    .threads = { drop_context, resolve_0 },
    .more = 1,
  },
  { NULL },
};
