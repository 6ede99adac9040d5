/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The items of a channel and those who wait for them. One rule keeps the order: nobody is
 * queued who could be served at once, and whoever comes stands behind those who wait. So
 * receivers wait only while there are no items, and senders only while there is no room. */

#include "config.h"

#include "concur-channel-private.h"
#include "concur-channel-store-private.h"
#include "concur-fork-private.h"

/* A ring that has grown beyond this by a backlog is let go when that is worked off. */
#define KEPT_ROOM 256

#ifdef CONCUR_TESTING
_Atomic gint concur_channel_cores_alive;
#define COUNT(n) atomic_fetch_add (&concur_channel_cores_alive, (n))
#else
#define COUNT(n) G_STMT_START { } G_STMT_END
#endif

/* What is to be done once the lock is released. */
typedef struct
{
  ConcurChannelWaiter *first;
  ConcurChannelWaiter **end;
  GValue *ring;             /* to be freed */
  guint head, n_items, room; /* what is in it, to be unset */
  ConcurFuture *completion; /* (owned) to be answered */
  guint64 n_received;
} After;

static void
after_init (After *after)
{
  *after = (After) { .end = &after->first };
}

static void
after_serve_locked (After               *after,
                    ConcurChannelWaiter *waiter,
                    ConcurChannelStatus  status)
{
  waiter->status = status;
  waiter->next = NULL;
  *after->end = waiter;
  after->end = &waiter->next;
}

/* Takes the first out and decides that it is served, unless it was cancelled: then it only
 * is let go. */
static ConcurChannelWaiter *
queue_claim_locked (ConcurChannelWaiter **queue,
                    After                *after)
{
  ConcurChannelWaiter *waiter = *queue;

  queue_unlink_locked (queue, waiter);
  if (waiter->kind->claim == NULL || CONCUR_PLANTED_BUG ("channel-no-claim")
      || waiter->kind->claim (waiter))
    return waiter;

  after_serve_locked (after, waiter, CONCUR_CHANNEL_CANCELLED);

  return NULL;
}

static void
queue_serve_all_locked (ConcurChannelWaiter **queue,
                        After                *after,
                        ConcurChannelStatus   status)
{
  while (*queue != NULL)
    {
      ConcurChannelWaiter *waiter = queue_claim_locked (queue, after);

      if (waiter != NULL)
        after_serve_locked (after, waiter, status);
    }
}

static inline void
take_items_locked (ConcurChannelCore   *self,
                   ConcurChannelWaiter *receiver)
{
  guint n = MIN (receiver->n_values, self->n_items);

  if (n == 1 && receiver->values != NULL)
    {
      *receiver->values = self->ring[self->head];
      self->head = (self->head + 1) & (self->room - 1);
      self->n_items--;
    }
  else if (n == self->n_items && self->head == 0 && self->room > KEPT_ROOM && n > self->room / 2
           && receiver->values == NULL)
    {
      /* The backlog as it is: it would be let go now. */
      receiver->values = g_steal_pointer (&self->ring);
      self->n_items = self->room = 0;
    }
  else
    {
      if (receiver->values == NULL)
        receiver->values = g_new (GValue, n);
      ring_take_locked (self, receiver->values, n);
    }

  /* So that what piles up next begins where the ring does. */
  if (self->n_items == 0)
    self->head = 0;
  receiver->n_moved = n;
  self->n_received += n;

  if (receiver->holds)
    {
      receiver->holding = TRUE;
      self->n_holding++;
    }
}

static inline void
let_go_locked (ConcurChannelCore   *self,
               ConcurChannelWaiter *receiver)
{
  if (receiver->holding)
    {
      receiver->holding = FALSE;
      self->n_holding--;
    }
}

/* What fits of all but @spare of its items. */
static void
put_items_locked (ConcurChannelCore   *self,
                  ConcurChannelWaiter *sender,
                  guint                spare)
{
  while (sender->n_moved + spare < sender->n_values && self->n_items < self->capacity)
    ring_put_locked (self, &sender->values[sender->n_moved++]);
}

static void
finish_locked (ConcurChannelCore *self,
               After             *after)
{
  gboolean ended = self->state == CONCUR_CHANNEL_STOPPED
                   || (self->state == CONCUR_CHANNEL_CLOSED && self->n_items == 0
                       && self->senders == NULL && self->n_holding == 0);

  if (!ended || self->over || self->busy)
    return;

  self->over = TRUE;
  after->n_received = self->n_received;
  if (self->completion != NULL)
    after->completion = g_object_ref (self->completion);
}

/* Brings those who wait and what they wait for together. */
static void
match_locked (ConcurChannelCore *self,
              After             *after)
{
  ConcurChannelWaiter *waiter;

  for (;;)
    {
      if (self->receivers != NULL && self->n_items > 0)
        {
          waiter = queue_claim_locked (&self->receivers, after);
          if (waiter == NULL && CONCUR_PLANTED_BUG ("channel-turn-lost"))
            return;
          if (waiter == NULL)
            continue;
          take_items_locked (self, waiter);
        }
      else if (self->senders != NULL && self->n_items < self->capacity)
        {
          /* All but the last go without a claim: one that is cancelled has sent what it has
           * sent. */
          put_items_locked (self, self->senders, 1);
          if (self->n_items == self->capacity)
            continue;
          waiter = queue_claim_locked (&self->senders, after);
          if (waiter == NULL && CONCUR_PLANTED_BUG ("channel-turn-lost"))
            return;
          if (waiter == NULL)
            continue;
          put_items_locked (self, waiter, 0);
        }
      else
        {
          return;
        }

      after_serve_locked (after, waiter, CONCUR_CHANNEL_OK);
    }
}

/* How it ended is decided: nothing of that changes any more. */
static void
core_answer_completion (ConcurChannelCore *self,
                        ConcurFuture      *completion,
                        guint64            n_received)
{
  gboolean answered;

  if (self->state == CONCUR_CHANNEL_STOPPED)
    answered = concur_future_answer_error (completion,
                                           g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                                "The channel was stopped"));
  else if (self->error != NULL)
    answered = concur_future_answer_error (completion, g_error_copy (self->error));
  else
    answered = concur_future_answer_int64 (completion, (gint64) n_received);

  /* One that was cancelled lets go of us itself. */
  if (answered)
    concur_channel_completion_let_go (completion);
}

static void
after_do (After             *after,
          ConcurChannelCore *self)
{
  ConcurChannelWaiter *waiter = after->first;

  /* Who is told may drop the last handle. */
  if (after->completion != NULL)
    concur_channel_core_ref (self);

  while (waiter != NULL)
    {
      ConcurChannelWaiter *next = waiter->next;

      waiter->kind->served (waiter);
      waiter = next;
    }

  for (guint i = 0; i < after->n_items; i++)
    concur_value_clear (&after->ring[(after->head + i) & (after->room - 1)]);
  g_free (after->ring);

  if (after->completion != NULL)
    {
      core_answer_completion (self, after->completion, after->n_received);
      g_object_unref (after->completion);
      concur_channel_core_unref (self);
    }
}

static void
shed_ring_locked (ConcurChannelCore *self,
                  After             *after)
{
  after->ring = g_steal_pointer (&self->ring);
  after->head = self->head;
  after->n_items = self->n_items;
  after->room = self->room;
  self->head = self->n_items = self->room = 0;
}

ConcurChannelCore *
concur_channel_core_new (guint                  capacity,
                         ConcurChannelProducer *producer)
{
  ConcurChannelCore *self = g_new0 (ConcurChannelCore, 1);

  concur_fork_watch ();
  concur_lock_init (&self->lock);
  self->capacity = capacity > 0 ? capacity : G_MAXUINT;
  self->producer = producer;
  self->busy = producer != NULL;
  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->idle, producer != NULL);
  concur_atomic_init (&self->stopped, 0);
  COUNT (1);

  return self;
}

ConcurChannelCore *
concur_channel_core_ref (ConcurChannelCore *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

void
concur_channel_core_unref (ConcurChannelCore *self)
{
  After after;

  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  /* What is in it may be half written. */
  if (concur_is_forked ())
    {
      if (!concur_channel_core_lock (self))
        return;
      concur_lock_release (&self->lock);
    }

  after_init (&after);
  shed_ring_locked (self, &after);
  after_do (&after, self);
  if (self->producer != NULL)
    self->producer->free (self->producer);
  g_clear_object (&self->completion);
  g_clear_error (&self->error);
  concur_lock_clear (&self->lock);
  g_free (self);
  COUNT (-1);
}

/* Whether this thread is the one to deal with a producer that has not begun. */
static gboolean
core_leave_idle (ConcurChannelCore *self)
{
  /* Relaxed: of those who see it set the exchange chooses one, and what the producer was
   * made with is older than the channel. */
  return concur_atomic_load (&self->idle, CONCUR_RELAXED)
         && concur_atomic_exchange (&self->idle, 0, CONCUR_RELAXED);
}

gboolean
concur_channel_core_put (ConcurChannelCore *self,
                         const GValue      *value)
{
  gboolean done;

  if (!concur_channel_core_lock (self))
    return FALSE;
  /* Who waits for room does so because there is none. */
  done = self->state == CONCUR_CHANNEL_OPEN && self->receivers == NULL
         && self->n_items < self->capacity;
  if (done)
    ring_put_locked (self, value);
  concur_lock_release (&self->lock);

  return done;
}

gboolean
concur_channel_core_take (ConcurChannelCore *self,
                          GValue            *value,
                          gboolean          *empty)
{
  gboolean done;
  guint left;

  *empty = FALSE;
  if (!concur_channel_core_lock (self))
    return FALSE;
  /* The last one may bring the end, or let the ring go. */
  left = self->room > KEPT_ROOM || self->state != CONCUR_CHANNEL_OPEN ? 1 : 0;
  done = self->n_items > left && self->senders == NULL;
  *empty = self->n_items == 0 && self->state == CONCUR_CHANNEL_OPEN && self->producer == NULL;
  if (done)
    {
      *value = self->ring[self->head];
      self->head = (self->head + 1) & (self->room - 1);
      self->n_items--;
      self->n_received++;
    }
  concur_lock_release (&self->lock);

  return done;
}

ConcurChannelStatus
concur_channel_core_send (ConcurChannelCore   *self,
                          ConcurChannelWaiter *waiter,
                          gboolean             wait)
{
  ConcurChannelStatus status = CONCUR_CHANNEL_OK;
  After after;

  after_init (&after);
  if (!concur_channel_core_lock (self))
    return CONCUR_CHANNEL_FORKED;
  if (self->state != CONCUR_CHANNEL_OPEN)
    {
      status = self->state == CONCUR_CHANNEL_STOPPED ? CONCUR_CHANNEL_GONE : CONCUR_CHANNEL_ENDED;
    }
  else
    {
      if (self->senders == NULL)
        put_items_locked (self, waiter, 0);
      /* Those who wait make room again. */
      while (self->receivers != NULL && self->n_items > 0)
        {
          match_locked (self, &after);
          put_items_locked (self, waiter, 0);
        }
      if (waiter->n_moved < waiter->n_values)
        {
          status = wait ? CONCUR_CHANNEL_WAITING : CONCUR_CHANNEL_BLOCKED;
          if (wait)
            {
              waiter->is_sender = TRUE;
              queue_push_locked (&self->senders, waiter);
            }
        }
    }
  concur_lock_release (&self->lock);

  after_do (&after, self);

  return status;
}

ConcurChannelStatus
concur_channel_core_receive (ConcurChannelCore   *self,
                             ConcurChannelWaiter *waiter,
                             gboolean             wait)
{
  ConcurChannelStatus status = CONCUR_CHANNEL_OK;
  After after;

  if (G_UNLIKELY (core_leave_idle (self)))
    self->producer->start (self->producer, self);

  after_init (&after);
  if (!concur_channel_core_lock (self))
    return CONCUR_CHANNEL_FORKED;
  let_go_locked (self, waiter);
  if (self->n_items > 0)
    {
      take_items_locked (self, waiter);
      if (self->senders != NULL && !CONCUR_PLANTED_BUG ("channel-room-unseen"))
        match_locked (self, &after);
      if (self->n_items == 0)
        {
          if (self->room > KEPT_ROOM)
            shed_ring_locked (self, &after);
          if (self->state == CONCUR_CHANNEL_CLOSED)
            finish_locked (self, &after);
        }
    }
  else if (self->state != CONCUR_CHANNEL_OPEN)
    {
      if (self->state == CONCUR_CHANNEL_STOPPED)
        status = CONCUR_CHANNEL_GONE;
      else
        status = self->error != NULL ? CONCUR_CHANNEL_FAILED : CONCUR_CHANNEL_ENDED;
      /* It may be the last that held. */
      if (waiter->holds)
        finish_locked (self, &after);
    }
  else if (wait)
    {
      status = CONCUR_CHANNEL_WAITING;
      if (CONCUR_PLANTED_BUG ("channel-unlocked-look"))
        {
          concur_lock_release (&self->lock);
          concur_lock_acquire (&self->lock);
        }
      queue_push_locked (&self->receivers, waiter);
    }
  else
    {
      status = CONCUR_CHANNEL_BLOCKED;
    }
  concur_lock_release (&self->lock);

  after_do (&after, self);

  return status;
}

gboolean
concur_channel_core_take_out (ConcurChannelCore   *self,
                              ConcurChannelWaiter *waiter)
{
  gboolean was_queued;

  if (!concur_channel_core_lock (self))
    return FALSE;
  was_queued = waiter->queued;
  if (was_queued)
    queue_unlink_locked (waiter->is_sender ? &self->senders : &self->receivers, waiter);
  concur_lock_release (&self->lock);

  return was_queued || CONCUR_PLANTED_BUG ("channel-timeout-blind");
}

gboolean
concur_channel_core_give_back (ConcurChannelCore   *self,
                               const GValue        *values,
                               guint                n_values,
                               ConcurChannelWaiter *holder)
{
  gboolean taken;
  After after;

  after_init (&after);
  if (!concur_channel_core_lock (self))
    return FALSE;
  if (holder != NULL)
    let_go_locked (self, holder);
  taken = self->state != CONCUR_CHANNEL_STOPPED;
  if (taken)
    {
      for (guint i = n_values; i > 0; i--)
        {
          if (self->n_items == self->room)
            ring_grow_locked (self);
          self->head = (self->head - 1) & (self->room - 1);
          self->ring[self->head] = values[i - 1];
          self->n_items++;
        }
      self->n_received -= n_values;
      match_locked (self, &after);
      if (holder != NULL)
        finish_locked (self, &after);
    }
  concur_lock_release (&self->lock);

  after_do (&after, self);

  return taken;
}

/* The producer is told that nobody wants any more, and ends if it has not begun. */
static void
core_stop_producer (ConcurChannelCore *self,
                    gboolean           only_idle)
{
  gboolean idle = core_leave_idle (self);

  if (only_idle && !idle)
    return;

  self->producer->stop (self->producer, self);
  if (idle)
    concur_channel_core_producer_over (self);
}

static gboolean
core_close (ConcurChannelCore *self,
            GError            *error,
            gboolean           cuts)
{
  gboolean was_open;
  After after;

  after_init (&after);
  if (!concur_channel_core_lock (self))
    {
      g_clear_error (&error);
      return FALSE;
    }
  was_open = self->state == CONCUR_CHANNEL_OPEN;
  if (was_open)
    {
      self->state = CONCUR_CHANNEL_CLOSED;
      self->error = g_steal_pointer (&error);
      queue_serve_all_locked (&self->receivers, &after,
                              self->error != NULL ? CONCUR_CHANNEL_FAILED : CONCUR_CHANNEL_ENDED);
    }
  if (cuts)
    queue_serve_all_locked (&self->senders, &after,
                            self->error != NULL ? CONCUR_CHANNEL_FAILED : CONCUR_CHANNEL_ENDED);
  finish_locked (self, &after);
  concur_lock_release (&self->lock);

  /* Who is told may drop the last handle. */
  concur_channel_core_ref (self);
  after_do (&after, self);
  g_clear_error (&error);

  if (was_open && self->producer != NULL)
    core_stop_producer (self, TRUE);
  concur_channel_core_unref (self);

  return was_open;
}

gboolean
concur_channel_core_close (ConcurChannelCore *self,
                           GError            *error)
{
  return core_close (self, error, FALSE);
}

gboolean
concur_channel_core_cut (ConcurChannelCore *self,
                         GError            *error)
{
  return core_close (self, error, TRUE);
}

gboolean
concur_channel_core_stop (ConcurChannelCore *self)
{
  gboolean stopped;
  After after;

  after_init (&after);
  if (!concur_channel_core_lock (self))
    return FALSE;
  /* One that has come to its end goes on telling that it has. */
  stopped = self->state != CONCUR_CHANNEL_STOPPED && !self->over;
  if (stopped)
    {
      self->state = CONCUR_CHANNEL_STOPPED;
      /* Release: whoever does something after this call has it seen. */
      concur_atomic_store (&self->stopped, 1, CONCUR_RELEASE);
      queue_serve_all_locked (&self->receivers, &after, CONCUR_CHANNEL_GONE);
      queue_serve_all_locked (&self->senders, &after, CONCUR_CHANNEL_GONE);
      shed_ring_locked (self, &after);
      finish_locked (self, &after);
    }
  concur_lock_release (&self->lock);

  concur_channel_core_ref (self);
  after_do (&after, self);

  if (stopped && self->producer != NULL)
    core_stop_producer (self, FALSE);
  concur_channel_core_unref (self);

  return stopped;
}

void
concur_channel_core_producer_over (ConcurChannelCore *self)
{
  After after;

  after_init (&after);
  if (!concur_channel_core_lock (self))
    return;
  self->busy = FALSE;
  finish_locked (self, &after);
  concur_lock_release (&self->lock);

  after_do (&after, self);
}

ConcurFuture *
concur_channel_core_dup_completion (ConcurChannelCore *self)
{
  ConcurFuture *fresh = concur_channel_completion_new (self);
  ConcurFuture *completion;
  guint64 n_received;
  gboolean over;

  if (!concur_channel_core_lock (self))
    {
      GError *error = NULL;

      concur_set_stopped_error (&error);
      concur_future_answer_error (fresh, error);
      concur_channel_completion_let_go (fresh);
      return fresh;
    }
  over = self->over;
  n_received = self->n_received;
  if (self->completion == NULL)
    self->completion = g_object_ref (fresh);
  completion = g_object_ref (self->completion);
  concur_lock_release (&self->lock);

  /* It came too late for the answer. */
  if (over && completion == fresh && !CONCUR_PLANTED_BUG ("channel-end-unseen"))
    core_answer_completion (self, completion, n_received);
  g_object_unref (fresh);

  return completion;
}
