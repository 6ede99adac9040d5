/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bindings: from a channel into a main context, without an object for each value.
 *
 * A binding is always in one hand. It waits in the channel's queue; whoever sends gives it
 * some values and posts it to its context; there it uses them, takes more as long as it has
 * time, and waits again, or posts itself for the next turn of the loop. It holds the channel,
 * which has not come to its end before it has used all.
 *
 * Who cancels it takes it out of the queue, or takes the values away from it while it is on
 * its way, and gives them back. While it uses them it finds out for itself. */

#include "config.h"

#include "concur-channel-bind-private.h"
#include "concur-exit-private.h"

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_CHANNEL 4

/* What is taken from the channel in one go, under its lock. */
#define AT_ONCE 256

/* So long a turn of ours may be: the whole of a frame is 16 ms. */
#define EACH_TURN_US 3000

/* A home deals with 128 items before the loop has its turn: shorter ones do not matter. */
#define SHORT_TURN_US 100

/* A look at the clock costs as much as a small function: so many calls at most between two,
 * if they take no longer than this together. */
#define MAX_STRIDE 16
#define FAST_STRIDE_US 50

enum
{
  STAGE_WAITING,   /* in the channel's queue, or about to be */
  STAGE_POSTED,    /* on its way to its context; with values they can be taken away */
  STAGE_USING,
  STAGE_WITHDRAWN, /* on its way, with nothing but itself */
};

static GType concur_binding_get_type (void) G_GNUC_CONST;

G_DEFINE_FINAL_TYPE (ConcurBinding, concur_binding, CONCUR_TYPE_FUTURE)

static void binding_arrived (ConcurHomeItem *item,
                             gboolean        here);

static ConcurBinding *
from_waiter (ConcurChannelWaiter *waiter)
{
  return (ConcurBinding *) ((char *) waiter - G_STRUCT_OFFSET (ConcurBinding, waiter));
}

static gboolean
binding_is_done (ConcurBinding *self)
{
  return CONCUR_PHASE_IS_DONE (concur_future_state (self));
}

/* Also if nothing is left: the channel may have come to its end by it. */
static void
binding_give_back (ConcurBinding *self)
{
  GValue *values = g_steal_pointer (&self->values);
  guint n_values = self->n_values;

  if (!concur_channel_core_give_back (self->core, values != NULL ? values + self->at : NULL,
                                      n_values - self->at, &self->waiter))
    {
      for (guint i = self->at; i < n_values; i++)
        concur_value_clear (&values[i]);
    }
  g_free (values);
}

/* It was cancelled: of those who see it the exchange chooses one. */
static void
binding_withdraw (ConcurBinding *self)
{
  guint32 stage = STAGE_POSTED;

  /* Sequentially consistent: see binding_post (). Acquire: what is in hand. */
  if (concur_atomic_cas (&self->stage, &stage, STAGE_WITHDRAWN, CONCUR_SEQ_CST))
    binding_give_back (self);
}

/* Takes over the hold on home. From here on another thread may have it in hand. */
static void
binding_post (ConcurBinding *self)
{
  ConcurHome *home = self->home;

  /* Sequentially consistent with the move that cancels the future: either who cancels it
   * sees that it is posted, or we see that it is cancelled. */
  concur_atomic_store (&self->stage, STAGE_POSTED, CONCUR_SEQ_CST);
  if (binding_is_done (self))
    binding_withdraw (self);

  concur_home_post (home, &self->item);
}

/* While it is on its way it may not keep its context, by which it is kept: one that nobody
 * runs would never go. So a future that belongs to the same context has a home only now. */
static void
binding_lend_home (ConcurBinding *self)
{
  ConcurLock *stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  concur_atomic_store (&concur_future_private (self)->home, concur_home_hold (self->home),
                       CONCUR_RELAXED);
  concur_lock_release (stripe);
}

static void
binding_take_home (ConcurBinding *self)
{
  guint32 before;
  ConcurHome *home = concur_future_steal_home (CONCUR_FUTURE (self), &before);

  if (home != NULL)
    concur_home_drop (home);
}

/* Nothing is in hand any more. Takes over @error. */
static void
binding_end (ConcurBinding *self,
             GError        *error,
             gboolean       here)
{
  gboolean tells = self->is_at_home && here;
  gboolean answered;

  concur_gate ();
  self->kind->end (self);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_clear_object (&self->channel);

  if (tells)
    binding_lend_home (self);
  if (error != NULL)
    answered = concur_future_answer_error (CONCUR_FUTURE (self), error);
  else
    answered = concur_future_answer_int64 (CONCUR_FUTURE (self), self->n_done);

  /* It was cancelled, when there was nobody to tell. */
  if (tells && !answered)
    {
      binding_take_home (self);
      concur_future_tell_done (CONCUR_FUTURE (self));
    }

  /* The reference of whose hand it was in. */
  g_object_unref (self);
}

static GError *
cancelled_error (const char *why)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, why);
}

/* The channel had nothing more to give, with this status. */
static void
binding_end_with (ConcurBinding       *self,
                  ConcurChannelStatus  status,
                  gboolean             here)
{
  GError *error = NULL;

  if (status == CONCUR_CHANNEL_FAILED)
    error = g_error_copy (self->core->error);
  else if (status == CONCUR_CHANNEL_GONE)
    error = cancelled_error ("The channel was stopped");
  else if (status == CONCUR_CHANNEL_FORKED)
    error = concur_channel_core_make_error (self->core, status, FALSE);

  binding_end (self, error, here);
}

/* It ends with something in hand, perhaps. */
static void
binding_break_off (ConcurBinding *self,
                   gboolean       here)
{
  GError *error = g_steal_pointer (&self->error);

  if (error != NULL || self->enough)
    concur_channel_core_stop (self->core);
  else
    error = cancelled_error (here ? "The channel was stopped" : "The main context is gone");

  binding_give_back (self);
  binding_end (self, error, here);
}

static void
binding_received (ConcurBinding *self)
{
  self->values = g_steal_pointer (&self->waiter.values);
  self->n_values = self->waiter.n_moved;
  self->at = 0;
}

/* Looks for more in the channel, or waits there. TRUE: there is something in hand. FALSE:
 * it is out of hand. */
static gboolean
binding_take (ConcurBinding *self)
{
  ConcurChannelStatus status;

  g_clear_pointer (&self->values, g_free);
  self->n_values = self->at = 0;
  self->waiter.values = NULL;
  self->waiter.n_values = self->at_once;
  self->waiter.n_moved = 0;
  concur_home_hold (self->home);
  /* Relaxed: as long as it is not posted nobody else changes it. */
  concur_atomic_store (&self->stage, STAGE_WAITING, CONCUR_RELAXED);

  status = concur_channel_core_receive (self->core, &self->waiter, TRUE);

  /* Who cancelled it before it was in the queue has not found it there. The lock of the
   * channel is between that and this look. */
  if (status == CONCUR_CHANNEL_WAITING
      && (!binding_is_done (self) || !concur_channel_core_take_out (self->core, &self->waiter)))
    return FALSE;

  concur_home_drop (self->home);
  if (status == CONCUR_CHANNEL_OK)
    {
      concur_atomic_store (&self->stage, STAGE_USING, CONCUR_RELAXED);
      self->waiter.status = status;
      binding_received (self);
      return TRUE;
    }
  binding_end_with (self, status, TRUE);

  return FALSE;
}

static gboolean
binding_claim (ConcurChannelWaiter *waiter)
{
  return !binding_is_done (from_waiter (waiter));
}

static void
binding_served (ConcurChannelWaiter *waiter)
{
  ConcurBinding *self = from_waiter (waiter);

  if (waiter->status == CONCUR_CHANNEL_OK)
    binding_received (self);
  binding_post (self);
}

static const ConcurChannelWaiterKind binding_kind = { binding_claim, binding_served };

/* A turn, in the context. */
static void
binding_run (ConcurBinding *self)
{
  gint64 began = concur_now ();

  for (;;)
    {
      gboolean over = self->kind->use (self, began);

      /* Nobody else has it in hand: it stays as it is. */
      if (concur_leaves_all ())
        return;

      if (self->enough || self->error != NULL || !concur_binding_is_wanted (self))
        {
          binding_break_off (self, TRUE);
          return;
        }

      if (self->at == self->n_values && !binding_take (self))
        break;

      if (over)
        {
          concur_home_end_turn (self->home);
          concur_home_hold (self->home);
          binding_post (self);
          return;
        }
    }

  if (concur_now () - began > SHORT_TURN_US)
    concur_home_end_turn (self->home);
}

static void
binding_arrived (ConcurHomeItem *item,
                 gboolean        here)
{
  ConcurBinding *self
    = (ConcurBinding *) ((char *) item - G_STRUCT_OFFSET (ConcurBinding, item));
  /* It may be out of this hand before this function returns. */
  g_autoptr (ConcurFuture) held = g_object_ref (CONCUR_FUTURE (self));
  guint32 stage = STAGE_POSTED;

  /* Acquire: what is in hand. */
  if (!concur_atomic_cas (&self->stage, &stage, STAGE_USING, CONCUR_ACQ_REL))
    {
      binding_end (self, NULL, here);
    }
  else if (self->waiter.status != CONCUR_CHANNEL_OK)
    {
      binding_end_with (self, self->waiter.status, here);
    }
  else if (!here || !concur_binding_is_wanted (self))
    {
      binding_break_off (self, here);
    }
  else
    {
      binding_run (self);
    }
}

void
concur_channel_binding_cancelled (ConcurFuture *future)
{
  ConcurBinding *self = (ConcurBinding *) future;
  ConcurHome *home = self->home;

  if (!concur_channel_core_take_out (self->core, &self->waiter))
    {
      binding_withdraw (self);
      return;
    }

  concur_atomic_store (&self->stage, STAGE_WITHDRAWN, CONCUR_RELAXED);
  if (!concur_home_is_here (home))
    {
      concur_home_post (home, &self->item);
      return;
    }
  binding_end (self, NULL, TRUE);
  concur_home_drop (home);
}

static void
concur_binding_finalize (GObject *object)
{
  ConcurBinding *self = (ConcurBinding *) object;

  concur_channel_core_unref (self->core);

  G_OBJECT_CLASS (concur_binding_parent_class)->finalize (object);
}

static void
concur_binding_class_init (ConcurBindingClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_binding_finalize;
}

static void
concur_binding_init (ConcurBinding *self)
{
  self->waiter.kind = &binding_kind;
  self->waiter.holds = TRUE;
  self->item.func = binding_arrived;
}

ConcurBinding *
concur_binding_new (const ConcurBindingKind *kind,
                    ConcurChannel           *channel,
                    gpointer                 own,
                    gpointer                 user_data,
                    GDestroyNotify           destroy,
                    GMainContext            *context)
{
  ConcurBinding *self = g_object_new (concur_binding_get_type (), NULL);
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurHome *home;

  if (context == NULL)
    context = g_main_context_get_thread_default ();
  if (context == NULL)
    context = g_main_context_default ();

  self->home = concur_home_hold_for_context (context);
  home = concur_home_hold_current ();
  self->is_at_home = home == self->home;
  if (self->is_at_home)
    {
      concur_home_drop (home);
      home = NULL;
    }

  /* A thread that runs the context must not wait for it. */
  priv->pool = context;
  concur_atomic_init (&priv->home, home);
  concur_atomic_init (&priv->state, CONCUR_PHASE_OPEN | CONCUR_STATE_CHANNEL
                                      | CONCUR_STATE_BOUND | CONCUR_STATE_HOME_SHARED);
  concur_atomic_init (&self->stage, STAGE_WAITING);

  self->kind = kind;
  self->core = concur_channel_core_ref (concur_channel_get_core (channel));
  self->user_data = user_data;
  self->destroy = destroy;
  self->channel = g_object_ref (channel);
  self->own = own;
  self->at_once = AT_ONCE;

  return self;
}

ConcurFuture *
concur_binding_begin (ConcurBinding *self)
{
  ConcurChannelStatus status;

  /* Of whose hand it is in. */
  g_object_ref (self);
  self->waiter.n_values = self->at_once;
  status = concur_channel_core_receive (self->core, &self->waiter, TRUE);
  if (status != CONCUR_CHANNEL_WAITING)
    {
      self->waiter.status = status;
      binding_served (&self->waiter);
    }

  return CONCUR_FUTURE (self);
}

/* A function that is called for each value */

typedef struct
{
  ConcurChannelFunc func;
  guint stride;            /* calls between two looks at the clock */
  guint left;              /* until the next one */
  gint64 looked;           /* when the last was */
  gint64 began;            /* of the turn that these two belong to */
} Each;

static gboolean
each_time_is_over (Each *self)
{
  gint64 now = concur_now ();

  if (now - self->looked < FAST_STRIDE_US)
    self->stride = MIN (self->stride * 2, MAX_STRIDE);
  else
    self->stride = 1;
  self->left = self->stride;
  self->looked = now;

  return now - self->began > EACH_TURN_US;
}

static gboolean
each_use (ConcurBinding *self,
          gint64         began)
{
  Each *each = self->own;

  if (each->began != began)
    {
      each->began = each->looked = began;
      each->left = each->stride;
    }

  while (self->at < self->n_values && concur_binding_is_wanted (self))
    {
      GValue *value = &self->values[self->at];

      concur_gate ();
      if (concur_leaves_all ())
        return TRUE;

      self->enough = !each->func (self->channel, value, self->user_data);
      self->at++;
      self->n_done++;
      concur_value_clear (value);

      if (self->enough || (--each->left == 0 && each_time_is_over (each)))
        return TRUE;
    }

  return FALSE;
}

static void
each_end (ConcurBinding *self)
{
  g_free (self->own);
}

ConcurBinding *
concur_each_binding_new (ConcurChannel     *channel,
                         ConcurChannelFunc  func,
                         gpointer           user_data,
                         GDestroyNotify     destroy,
                         GMainContext      *context)
{
  static const ConcurBindingKind each_kind = { each_use, each_end };
  Each *each = g_new0 (Each, 1);

  each->func = func;
  each->stride = 1;

  return concur_binding_new (&each_kind, channel, each, user_data, destroy, context);
}

/**
 * concur_channel_for_each:
 * @self: a channel
 * @func: (scope notified) (closure user_data) (destroy destroy): takes the values
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 * @context: (nullable): where to call @func, or %NULL for the thread-default main context of
 *   the calling thread
 *
 * Calls a function in a main context for each value, until the end of the channel.
 *
 * ```c
 * static gboolean
 * show (ConcurChannel *channel, const GValue *value, gpointer label)
 * {
 *   gtk_label_set_text (label, g_value_get_string (value));
 *   return TRUE;
 * }
 *
 * g_object_unref (concur_channel_for_each (lines, show, g_object_ref (label), g_object_unref,
 *                                          NULL));
 * ```
 *
 * This is what costs least for a main loop: there is no future and no callback for a single
 * value. The loop goes on with its other work every few milliseconds, and what comes from
 * the channel has a lower priority than drawing. @func is not called by this call, and not
 * again before it has returned, be it that it runs a main loop itself.
 *
 * It takes values ahead, of which others that receive from the channel then get none; but
 * the channel has come to its end, as [method@Channel.dup_completion] tells, only after
 * @func was called for the last. It keeps the channel until that end: close it, or
 * cancel the future.
 *
 * ## The end
 *
 * The future is resolved with the number of calls, as an int64, when the channel is closed
 * and empty, or when @func has returned %FALSE, which stops the channel. It is rejected with
 * the error of a channel that has failed, and cancelled if the channel is stopped.
 *
 * Cancelling the future ends the calls and leaves the channel as it is. What was taken
 * ahead is given back, before all others, and can be received again.
 *
 * On the thread that runs @context, @func is not called any more after the future was
 * cancelled or the channel stopped. From another thread that cannot be said of the one call
 * that is just being made.
 *
 * ## Threads
 *
 * Can be called from any thread. @func is called, and @user_data freed before the future is
 * done unless it is cancelled, on the thread that runs @context. If the context goes away,
 * which this keeps as long as there is nothing to receive, the future is cancelled. A thread
 * that runs the context cannot wait for the future.
 *
 * Returns: (transfer full): a future for the end of it, which need not be kept
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_for_each (ConcurChannel     *self,
                         ConcurChannelFunc  func,
                         gpointer           user_data,
                         GDestroyNotify     destroy,
                         GMainContext      *context)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  concur_home_serve (SERVE_AT_CHANNEL);

  return concur_binding_begin (concur_each_binding_new (self, func, user_data, destroy, context));
}
