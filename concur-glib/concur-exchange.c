/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One call, on the thread that has the worker to itself: it says what is wanted, and then
 * listens until there is an answer, or no worker any more. For a moment it listens to nothing
 * else. From then on, what can end it is looked for in one poll (): the worker, the waker that
 * a cancellation writes to, and time. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "concur-error.h"
#include "concur-process-call-private.h"

/* A worker that has not taken the call yet does not hear that it should leave it. */
#define ASK_AGAIN_US (100 * G_TIME_SPAN_MILLISECOND)

/* Why the worker was asked to stop. */
typedef enum
{
  NOT_ASKED,
  CANCELLED,
  TIMED_OUT,
} Asked;

typedef struct
{
  ConcurExchange *exchange;
  ConcurProcessChild *child;
  ConcurWireWriter writer;
  guint64 id;
  gint64 deadline;               /* -1: none */
  gint64 patience;               /* once it was asked: until then it may answer */
  gint64 again;                  /* the same: when it is asked once more */
  guint n_asked;
  Asked asked;
  gboolean has_stopped;          /* because it was asked */
  gulong cancelled_id;           /* once the waker is looked at */
} Talk;

typedef enum
{
  GO_ON,
  ANSWERED,                      /* the worker may have another call */
  FAILED,                        /* the same, with an error */
  BROKEN,                        /* the worker is not to be used any more */
} Turn;

static void
wake (GCancellable *cancellable,
      gpointer      child)
{
  concur_process_child_wake (child);
}

static void
set_asked_error (Talk    *talk,
                 GError **error)
{
  if (talk->asked == TIMED_OUT)
    g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
                 "The call “%s” took longer than it may", talk->exchange->name);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The call “%s” was cancelled",
                 talk->exchange->name);
}

/* Domains are made when they are first used. These are known here even if nothing has gone
 * wrong so far. */
static void
know_domains (void)
{
  static gsize known;

  if (!g_once_init_enter (&known))
    return;

  concur_executor_error_quark ();
  concur_channel_error_quark ();
  concur_future_error_quark ();
  g_io_error_quark ();
  g_file_error_quark ();
  g_spawn_error_quark ();
  g_convert_error_quark ();
  g_key_file_error_quark ();
  g_markup_error_quark ();
  g_number_parser_error_quark ();
  g_regex_error_quark ();
  g_resolver_error_quark ();
  g_thread_error_quark ();
  g_variant_parse_error_quark ();
  g_once_init_leave (&known, 1);
}

/* A domain that nobody in this program has ever heard of would not be understood, and the
 * table of quarks only grows. */
static void
set_remote_error (GError     **error,
                  const char  *domain,
                  int          code,
                  const char  *text)
{
  GQuark quark;

  know_domains ();
  quark = g_quark_try_string (domain);

  if (quark != 0)
    g_set_error_literal (error, quark, code, text);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", domain, text);
}

static Turn
take_error (Talk             *talk,
            ConcurWireFrame  *frame,
            GError          **error)
{
  ConcurExchange *exchange = talk->exchange;
  const char *domain, *text;
  gint32 code;
  GVariant *details;

  g_variant_get (frame->content, "(&si&s@a{sv})", &domain, &code, &text, &details);
  talk->has_stopped = code == G_IO_ERROR_CANCELLED
                      && g_str_equal (domain, g_quark_to_string (G_IO_ERROR));
  if (talk->asked == TIMED_OUT)
    set_asked_error (talk, error);
  else
    set_remote_error (error, domain, code, text);
  if (g_variant_n_children (details) > 0)
    exchange->details = g_steal_pointer (&details);
  else
    g_variant_unref (details);

  return FAILED;
}

static void
ask_again (Talk *talk)
{
  talk->n_asked++;
  talk->again = concur_now () + ASK_AGAIN_US;
  concur_process_child_interrupt (talk->child);
}

static void
ask_to_stop (Talk  *talk,
             Asked  why)
{
  if (talk->asked != NOT_ASKED)
    return;

  talk->asked = why;
  talk->patience = concur_deadline (talk->child->settings->grace_us);
  ask_again (talk);
}

static Turn
take_item (Talk             *talk,
           ConcurWireFrame  *frame,
           GError          **error)
{
  ConcurExchange *exchange = talk->exchange;
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) send_error = NULL;

  if (exchange->channel == NULL)
    {
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                   "The worker process sent an item for the call “%s”, which is no stream: "
                   "call it as one",
                   exchange->name);
      return BROKEN;
    }
  if (talk->asked != NOT_ASKED)
    return GO_ON;

  g_value_init (&value, G_TYPE_VARIANT);
  g_value_set_variant (&value, frame->content);
  /* Who does not want any more cancels the job as well. */
  if (!concur_channel_send_wait (exchange->channel, &value,
                                 talk->deadline < 0 ? -1 : MAX (talk->deadline - concur_now (), 0),
                                 &send_error)
      && g_error_matches (send_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT))
    ask_to_stop (talk, TIMED_OUT);
  g_value_unset (&value);

  return GO_ON;
}

static Turn
take_frame (Talk             *talk,
            ConcurWireFrame  *frame,
            GError          **error)
{
  ConcurExchange *exchange = talk->exchange;
  const char *text;

  if (frame->id != talk->id)
    {
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                   "The worker process answered call %" G_GUINT64_FORMAT
                   " while call %" G_GUINT64_FORMAT " was asked",
                   frame->id, talk->id);
      return BROKEN;
    }

  switch (frame->kind)
    {
    case CONCUR_WIRE_PROGRESS:
      concur_job_set_progress (exchange->job, g_variant_get_double (frame->content));
      return GO_ON;

    case CONCUR_WIRE_STATUS:
      g_variant_get (frame->content, "m&s", &text);
      concur_job_set_status_text (exchange->job, text);
      return GO_ON;

    case CONCUR_WIRE_ITEM:
      return take_item (talk, frame, error);

    case CONCUR_WIRE_ERROR:
      return take_error (talk, frame, error);

    case CONCUR_WIRE_RESULT:
      if (talk->asked == TIMED_OUT)
        {
          set_asked_error (talk, error);
          return FAILED;
        }
      exchange->value = g_steal_pointer (&frame->content);
      exchange->value_fds = g_steal_pointer (&frame->fds);
      return ANSWERED;

    case CONCUR_WIRE_HELLO:
    case CONCUR_WIRE_CALL:
    case CONCUR_WIRE_MAP:
    case CONCUR_WIRE_READY:
    default:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                   "The worker process sent a %s frame in the middle of the call “%s”",
                   concur_wire_kind_get_name (frame->kind), exchange->name);
      return BROKEN;
    }
}

/* Takes over what was wrong with what came last; NULL: it came to an end between two frames. One
 * that is killed in the middle of a frame has not sent anything wrong. */
static void
set_end_error (Talk    *talk,
               GError  *read_error,
               GError **error)
{
  ConcurProcessChild *child = talk->child;
  g_autofree char *end = NULL;

  if (concur_wire_reader_has_ended (child->reader))
    concur_process_child_lost (child);

  if (talk->asked != NOT_ASKED)
    {
      g_clear_error (&read_error);
      set_asked_error (talk, error);
      return;
    }
  if (read_error != NULL
      && !(child->is_over && (child->is_unknown || WIFSIGNALED (child->status))))
    {
      g_propagate_prefixed_error (error, read_error, "The worker process cannot be understood: ");
      return;
    }

  g_clear_error (&read_error);
  end = concur_process_child_describe (child);
  g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
               "The worker process %d ended during the call “%s”: %s", (int) child->pid,
               talk->exchange->name, end);
}

/* All that has come. */
static Turn
take_frames (Talk    *talk,
             GError **error)
{
  for (;;)
    {
      ConcurWireFrame frame = { 0 };
      GError *read_error = NULL;
      Turn turn;

      switch (concur_wire_reader_take (talk->child->reader, &frame, &read_error))
        {
        case CONCUR_WIRE_READ_DONE:
          turn = take_frame (talk, &frame, error);
          concur_wire_clear (&frame);
          if (turn != GO_ON)
            return turn;
          break;

        case CONCUR_WIRE_READ_BAD:
          set_end_error (talk, read_error, error);
          return BROKEN;

        case CONCUR_WIRE_READ_END:
          set_end_error (talk, NULL, error);
          return BROKEN;

        case CONCUR_WIRE_READ_MORE:
        default:
          return GO_ON;
        }
    }
}

/* Waits until there is something to do. FALSE: time is up. */
static gboolean
wait_for_turn (Talk     *talk,
               gboolean *readable)
{
  ConcurProcessChild *child = talk->child;
  struct pollfd fds[] = {
    { .fd = child->socket, .events = POLLIN },
    { .fd = child->messages, .events = POLLIN },
    { .fd = child->waker, .events = POLLIN },
  };
  gint64 until = talk->asked != NOT_ASKED ? MIN (talk->patience, talk->again) : talk->deadline;
  int timeout_ms = -1;
  guint64 count;

  *readable = FALSE;
  if (until >= 0)
    {
      gint64 left = until - concur_now ();

      if (left <= 0)
        return FALSE;
      timeout_ms = (int) MIN ((left + 999) / 1000, G_MAXINT);
    }
  if (!concur_wire_writer_is_done (&talk->writer))
    fds[0].events |= POLLOUT;

  if (poll (fds, G_N_ELEMENTS (fds), timeout_ms) <= 0)
    return TRUE;

  *readable = (fds[0].revents & ~POLLOUT) != 0;
  if (fds[1].revents != 0)
    concur_process_child_listen (child);
  if ((fds[2].revents & POLLIN) && read (child->waker, &count, sizeof count) > 0
      && concur_job_is_cancelled (talk->exchange->job))
    ask_to_stop (talk, CANCELLED);

  return TRUE;
}

/* Whether the answer may be waited for without looking at anything else: see
 * CONCUR_PROCESS_PROMPT_US. */
static gboolean
can_be_prompt (Talk *talk)
{
  return concur_wire_writer_is_done (&talk->writer)
         && (talk->deadline < 0 || talk->deadline - concur_now () > CONCUR_PROCESS_PROMPT_US);
}

/* FALSE: there is nobody at the other end, which reading will tell about. */
static gboolean
send_more (Talk    *talk,
           GError **error)
{
  GError *send_error = NULL;

  if (concur_wire_writer_is_done (&talk->writer)
      || concur_wire_writer_send (&talk->writer, talk->child->socket, &send_error))
    return TRUE;

  talk->writer.sent = talk->writer.size;
  if (send_error == NULL)
    return TRUE;

  g_propagate_error (error, send_error);

  return FALSE;
}

/* Reads what has come, with @wait what comes in a moment, and does what it says. */
static Turn
listen (Talk      *talk,
        gboolean   wait,
        GError   **error)
{
  ConcurProcessChild *child = talk->child;
  GError *read_error = NULL;
  Turn turn;

  concur_wire_reader_fill (child->reader, child->socket, wait, &read_error);
  turn = take_frames (talk, read_error == NULL ? error : NULL);
  if (read_error == NULL)
    return turn;

  if (turn == ANSWERED)
    {
      g_error_free (read_error);
      return turn;
    }
  g_propagate_error (error, read_error);

  return BROKEN;
}

static Turn
talk_to_end (Talk    *talk,
             GError **error)
{
  ConcurProcessChild *child = talk->child;
  GCancellable *cancellable = concur_job_get_cancellable (talk->exchange->job);

  /* It may have been cancelled before; then the waker is awake at once. */
  talk->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (wake), child, NULL);

  for (;;)
    {
      gboolean readable;
      Turn turn;

      if (!send_more (talk, error))
        return BROKEN;

      if (!wait_for_turn (talk, &readable))
        {
          if (talk->asked == NOT_ASKED)
            {
              ask_to_stop (talk, TIMED_OUT);
              continue;
            }
          if (concur_now () < talk->patience)
            {
              ask_again (talk);
              continue;
            }
          concur_process_child_kill (child);
          set_asked_error (talk, error);
          return BROKEN;
        }
      if (!readable)
        continue;

      turn = listen (talk, FALSE, error);
      if (turn != GO_ON)
        return turn;
    }
}

/* FALSE: there is no worker, or without an error: this one had gone since its last answer, and
 * has got nothing of the call. Another one can have it. */
static gboolean
begin (Talk               *talk,
       ConcurProcessPool  *pool,
       GError            **error)
{
  ConcurExchange *exchange = talk->exchange;

  talk->child = concur_process_pool_take (pool, exchange->job, error);
  if (talk->child == NULL)
    return FALSE;

  exchange->has_worker = TRUE;
  talk->id = ++talk->child->last_id;
  if (!concur_wire_writer_init (&talk->writer, exchange->kind, talk->id,
                                exchange->kind == CONCUR_WIRE_CALL ? exchange->name : NULL,
                                exchange->content, exchange->fds, talk->child->max_body, error))
    return FALSE;

  /* What else is wrong is found when the rest is sent. */
  if (concur_wire_writer_send (&talk->writer, talk->child->socket, NULL) || talk->writer.sent > 0
      || talk->child->n_calls == 0)
    return TRUE;

  concur_wire_writer_clear (&talk->writer);
  concur_process_pool_give (pool, FALSE);

  return FALSE;
}

gboolean
concur_exchange_run (ConcurExchange     *self,
                     ConcurProcessPool  *pool,
                     GError            **error)
{
  Talk talk = { .exchange = self };
  GError *begin_error = NULL;
  Turn turn = GO_ON;

  while (!begin (&talk, pool, &begin_error))
    {
      if (begin_error != NULL)
        {
          g_propagate_error (error, begin_error);
          return FALSE;
        }
    }

  talk.deadline = concur_deadline (pool->settings.call_timeout_us);
  if (can_be_prompt (&talk))
    turn = listen (&talk, TRUE, error);
  if (turn == GO_ON)
    turn = talk_to_end (&talk, error);
  if (talk.cancelled_id != 0)
    g_cancellable_disconnect (concur_job_get_cancellable (self->job), talk.cancelled_id);
  concur_wire_writer_clear (&talk.writer);

  if (turn == BROKEN)
    concur_process_child_kill (talk.child);
  /* One that did not read all it was told cannot have another call. Nor can one that was asked to
   * stop more often than it has heard: a signal may be on its way, and would hit that. */
  concur_process_pool_give (pool, turn != BROKEN && concur_wire_writer_is_done (&talk.writer)
                                      && talk.n_asked == (talk.has_stopped ? 1 : 0));

  return turn == ANSWERED;
}

void
concur_exchange_clear (ConcurExchange *self)
{
  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_object (&self->value_fds);
  g_clear_pointer (&self->details, g_variant_unref);
}
