/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-derivation-private.h"
#include "concur-job-private.h"

/* How deep combinations of combinations are looked into, and how many in all: futures
 * that share their inputs have more ways through them than can be gone. Beyond that a
 * wait is not refused: better to wait in vain than to refuse one that would have ended. */
#define MAX_DEPTH 32
#define MAX_LOOKS 1024

static void
input_told (ConcurFuture *future,
            gpointer      data)
{
  ConcurInput *input = data;
  ConcurDerivation *self = input->derivation;

  /* Acquire and release: who brings it to 0 sees what the others did, see settled (). */
  concur_atomic_sub (&self->n_waiting, 1, CONCUR_ACQ_REL);
  self->input_done (self, input);
  concur_derivation_unref (self);
}

gpointer
concur_derivation_new (gsize              size,
                       ConcurFuture      *derived,
                       ConcurFuture     **inputs,
                       guint              n_inputs,
                       ConcurDeriveFlags  flags,
                       ConcurInputFunc    input_done,
                       GDestroyNotify     finalize)
{
  gsize head = (size + G_MEM_ALIGN - 1) & ~(gsize) (G_MEM_ALIGN - 1);
  ConcurDerivation *self = g_malloc0 (head + n_inputs * sizeof (ConcurInput));

  self->flags = flags;
  self->home = concur_home_hold_current ();
  self->derived = g_object_ref (derived);
  self->input_done = input_done;
  self->finalize = finalize;
  self->n_inputs = n_inputs;
  self->inputs = (ConcurInput *) ((char *) self + head);
  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->n_waiting, 0);
  concur_atomic_init (&self->cancel_rest, 0);

  for (guint i = 0; i < n_inputs; i++)
    {
      self->inputs[i].derivation = self;
      self->inputs[i].future = g_object_ref (inputs[i]);
    }

  return self;
}

void
concur_derivation_set_home (gpointer    data,
                            ConcurHome *home)
{
  ConcurDerivation *self = data;

  concur_home_drop (self->home);
  self->home = home;
}

gpointer
concur_derivation_ref (gpointer data)
{
  ConcurDerivation *self = data;

  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

static void
derivation_free (ConcurHomeItem *item,
                 gboolean        here)
{
  ConcurDerivation *self = (ConcurDerivation *) item;

  if (self->finalize != NULL)
    self->finalize (self);
  for (guint i = 0; i < self->n_inputs; i++)
    g_object_unref (self->inputs[i].future);
  g_object_unref (self->derived);
  g_free (self);
}

void
concur_derivation_unref (gpointer data)
{
  ConcurDerivation *self = data;

  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  /* Futures may hold values that only the thread they belong to can free. */
  if (concur_home_is_here (self->home))
    {
      ConcurHome *home = self->home;

      derivation_free (&self->item, TRUE);
      concur_home_drop (home);
    }
  else
    {
      self->item.func = derivation_free;
      concur_home_release (self->home, &self->item);
    }
}

/* Whether the inputs still have something to tell. */
static gboolean
derivation_needs_inputs (ConcurDerivation *self)
{
  guint32 state = concur_future_state (self->derived);

  if (!CONCUR_PHASE_IS_DONE (state))
    return TRUE;

  return (self->flags & CONCUR_DERIVE_HOLDS) && !(state & CONCUR_STATE_READY)
         && !CONCUR_PLANTED_BUG ("abandoned-without-answer");
}

/* Nobody waits for the inputs any more. */
static void
derivation_disconnect (ConcurDerivation *self)
{
  if (derivation_needs_inputs (self))
    return;

  /* Acquire: pairs with input_told (). */
  if (concur_atomic_load (&self->n_waiting, CONCUR_ACQUIRE) == 0)
    return;

  for (guint i = 0; i < self->n_inputs; i++)
    {
      /* One that only is to be cancelled has no node there. */
      if (concur_future_remove_node (self->inputs[i].future, &self->inputs[i].callback))
        {
          concur_atomic_sub (&self->n_waiting, 1, CONCUR_ACQ_REL);
          concur_derivation_unref (self);
        }
    }
}

void
concur_derivation_connect (gpointer data)
{
  ConcurDerivation *self = data;
  ConcurFuture *derived = self->derived;

  concur_derivation_ref (self);
  concur_future_set_derivation (derived, self);

  for (guint i = 0; i < self->n_inputs; i++)
    {
      if (self->inputs[i].no_wait)
        continue;
      /* One of those before was enough. */
      if (!derivation_needs_inputs (self))
        break;

      concur_atomic_add (&self->n_waiting, 1, CONCUR_RELAXED);
      concur_derivation_ref (self);
      concur_future_add_node (self->inputs[i].future, &self->inputs[i].callback, input_told,
                              &self->inputs[i]);
    }

  /* Done, or asked to stop, before or meanwhile: that has not met all of the inputs. */
  if (CONCUR_PLANTED_BUG ("connect-without-look"))
    ;
  else if (CONCUR_PHASE_IS_DONE (concur_future_state (derived)))
    {
      concur_derivation_settled (derived);
      derivation_disconnect (self);
    }
  else if (concur_future_state (derived) & CONCUR_STATE_CANCEL)
    concur_derivation_cancelled (derived);

  concur_derivation_unref (self);
}

void
concur_derivation_detach (gpointer data)
{
  ConcurDerivation *self = data;

  if (concur_future_take_derivation (self->derived, self))
    concur_derivation_unref (self);
}

static void
cancel_inputs (ConcurHomeItem *item,
               gboolean        here)
{
  ConcurDerivation *self = (ConcurDerivation *) item;
  ConcurCancelFlags flags = CONCUR_CANCEL_NONE;

  if (concur_future_state (self->derived) & CONCUR_STATE_SPARES)
    flags = CONCUR_CANCEL_QUEUED;

  for (guint i = 0; i < self->n_inputs; i++)
    {
      if (!self->inputs[i].no_cancel)
        concur_future_cancel (self->inputs[i].future, flags);
    }

  concur_derivation_unref (self);
}

void
concur_derivation_cancel_inputs (gpointer data)
{
  ConcurDerivation *self = data;
  ConcurWord *once = &self->cancel_rest;

  /* 2: on its way, for which there is one item. Relaxed: only to be the one who does it. */
  if (concur_atomic_exchange (once, 2, CONCUR_RELAXED) == 2)
    return;

  concur_derivation_ref (self);
  self->item.func = cancel_inputs;
  concur_future_trampoline (&self->item);
}

void
concur_derivation_settled (ConcurFuture *derived)
{
  ConcurDerivation *self = concur_derivation_of (derived);
  guint32 state = concur_future_state (derived);

  if (self == NULL)
    return;

  if (((self->flags & CONCUR_DERIVE_CANCELS) && (state & CONCUR_STATE_CANCEL))
      || concur_atomic_load (&self->cancel_rest, CONCUR_RELAXED) == 1)
    concur_derivation_cancel_inputs (self);

  derivation_disconnect (self);
  if (self->ended != NULL)
    self->ended (self);
  concur_derivation_detach (self);
  concur_derivation_unref (self);
}

void
concur_derivation_cancelled (ConcurFuture *derived)
{
  ConcurDerivation *self = concur_derivation_of (derived);

  if (self == NULL)
    return;

  if (self->flags & CONCUR_DERIVE_CANCELS)
    concur_derivation_cancel_inputs (self);
  concur_derivation_unref (self);
}

gboolean
concur_future_answer_from (ConcurFuture *self,
                           ConcurFuture *other)
{
  const GError *error = concur_future_get_error (other);

  if (error != NULL)
    return concur_future_answer_error (self, g_error_copy (error));

  return concur_future_answer_value (self, &concur_future_private (other)->value);
}

/* Only contexts that are known to be alive are asked for their owner: @context is what
 * somebody once submitted to. */
static gboolean
context_is_here (GMainContext *context)
{
  GMainContext *candidates[] = { g_main_context_get_thread_default (), g_main_context_default (),
                                 NULL };
  GSource *source = g_main_current_source ();

  if (source != NULL && !g_source_is_destroyed (source))
    candidates[2] = g_source_get_context (source);

  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      if (candidates[i] == context)
        return g_main_context_is_owner (context);
    }

  /* It may be one further out, around another one that runs now. */
  return concur_home_context_is_here (context);
}

static gboolean
would_deadlock (ConcurFuture *future,
                guint         depth,
                guint        *looks)
{
  g_autoptr (ConcurFuture) held = g_object_ref (future);
  /* Where it was some steps ago: a chain that comes by there again is a ring. */
  g_autoptr (ConcurFuture) mark = NULL;
  guint n_steps = 0, next_mark = 1;

  /* Along a chain, however long. */
  for (;;)
    {
      ConcurDerivation *derivation;
      ConcurFuture *only = NULL;
      guint32 state = concur_future_state (held);
      guint n_waited = 0, n_refused = 0;

      if (CONCUR_PHASE_IS_DONE (state))
        return FALSE;

      /* One that derives from itself. */
      if (held == mark)
        return TRUE;
      if (++n_steps == next_mark)
        {
          g_set_object (&mark, held);
          next_mark *= 2;
        }

      if ((state & CONCUR_STATE_BOUND)
          && ((state & CONCUR_STATE_ACTIVE) || !(state & CONCUR_STATE_HOLD))
          && context_is_here (concur_future_private (held)->pool))
        return TRUE;

      if ((state & CONCUR_STATE_ACTIVE) && concur_job_is_on_stack (held))
        return TRUE;

      derivation = (state & CONCUR_STATE_DERIVED) ? concur_derivation_of (held) : NULL;
      if (derivation == NULL)
        return FALSE;

      if (derivation->flags & CONCUR_DERIVE_ENDS)
        {
          concur_derivation_unref (derivation);
          return FALSE;
        }

      for (guint i = 0; i < derivation->n_inputs && n_waited < 2; i++)
        {
          if (!derivation->inputs[i].no_wait)
            {
              only = derivation->inputs[i].future;
              n_waited++;
            }
        }
      if (n_waited == 1)
        {
          g_set_object (&held, only);
          concur_derivation_unref (derivation);
          continue;
        }

      for (guint i = 0; i < derivation->n_inputs; i++)
        {
          ConcurInput *input = &derivation->inputs[i];

          if (input->no_wait || CONCUR_PHASE_IS_DONE (concur_future_state (input->future)))
            continue;
          if (depth == 0 || *looks == 0)
            {
              n_refused = 0;
              break;
            }
          --*looks;
          if (!would_deadlock (input->future, depth - 1, looks))
            {
              n_refused = 0;
              break;
            }
          n_refused++;
        }
      concur_derivation_unref (derivation);

      return n_refused > 0;
    }
}

gboolean
concur_derivation_would_deadlock (ConcurFuture *future)
{
  guint looks = MAX_LOOKS;

  return would_deadlock (future, MAX_DEPTH, &looks);
}
