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

G_DEFINE_TYPE (ConcurBinding, concur_binding, CONCUR_TYPE_FUTURE)

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

/* Nothing is in hand any more. Takes over @error. */
static void
binding_end (ConcurBinding *self,
             GError        *error)
{
  if (self->kind->end != NULL)
    self->kind->end (self);
  if (self->destroy != NULL)
    {
      concur_gate ();
      self->destroy (self->user_data);
    }
  g_clear_object (&self->channel);

  /* One that was cancelled is answered already. */
  if (error != NULL)
    concur_future_answer_error (CONCUR_FUTURE (self), error);
  else
    concur_future_answer_int64 (CONCUR_FUTURE (self), self->n_done);

  /* The reference of whose hand it was in. */
  g_object_unref (self);
}

static GError *
gone_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The main context is gone");
}

static GError *
stopped_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The channel was stopped");
}

/* The channel had nothing more to give, with this status. */
static void
binding_end_with (ConcurBinding       *self,
                  ConcurChannelStatus  status)
{
  GError *error = NULL;

  if (status == CONCUR_CHANNEL_FAILED)
    error = g_error_copy (self->core->error);
  else if (status == CONCUR_CHANNEL_GONE)
    error = stopped_error ();

  binding_end (self, error);
}

/* It is here that it ends, with something in hand perhaps. */
static void
binding_break_off (ConcurBinding *self)
{
  GError *error = g_steal_pointer (&self->error);

  if (error != NULL || self->enough)
    concur_channel_core_stop (self->core);
  else
    error = stopped_error ();

  binding_give_back (self);
  binding_end (self, error);
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
      binding_received (self);
      return TRUE;
    }
  binding_end_with (self, status);

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
          binding_break_off (self);
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
      binding_end (self, NULL);
    }
  else if (self->waiter.status == CONCUR_CHANNEL_OK && !here)
    {
      self->error = gone_error ();
      binding_give_back (self);
      binding_end (self, g_steal_pointer (&self->error));
    }
  else if (self->waiter.status == CONCUR_CHANNEL_OK)
    {
      if (concur_binding_is_wanted (self))
        binding_run (self);
      else
        binding_break_off (self);
    }
  else
    {
      binding_end_with (self, self->waiter.status);
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
  binding_end (self, NULL);
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

void
concur_binding_set_up (ConcurBinding           *self,
                     const ConcurBindingKind *kind,
                     ConcurChannel           *channel,
                     gpointer                 user_data,
                     GDestroyNotify           destroy,
                     GMainContext            *context)
{
}
