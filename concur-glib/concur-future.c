/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurFuture:
 *
 * What will be known: the result of work that goes on somewhere else.
 *
 * A future begins pending and ends, once and for ever, resolved with a value, rejected
 * with an error, or cancelled. Futures come from [method@Executor.submit] and its
 * relatives, where they are [class@Job]s, or from a [class@Promise].
 *
 * ```c
 * static gboolean
 * count_lines (ConcurJob *job, gpointer path, GError **error)
 * {
 *   g_autofree char *text = NULL;
 *   gint64 lines = 0;
 *
 *   if (!g_file_get_contents (path, &text, NULL, error))
 *     return FALSE;
 *   for (char *c = text; *c != '\0'; c++)
 *     lines += *c == '\n';
 *   concur_job_return_int64 (job, lines);
 *   return TRUE;
 * }
 *
 * static void
 * show_lines (ConcurFuture *future, gpointer user_data)
 * {
 *   g_autoptr (GError) error = NULL;
 *   gint64 lines = concur_future_get_int64 (future, &error);
 *
 *   if (error != NULL)
 *     g_print ("%s\n", error->message);
 *   else
 *     g_print ("%" G_GINT64_FORMAT " lines\n", lines);
 * }
 *
 * ConcurFuture *future = concur_executor_submit (concur_executor_get_default (), count_lines,
 *                                                g_strdup ("/etc/passwd"), g_free, NULL);
 * concur_future_when_done (future, show_lines, NULL, NULL, NULL);
 * g_object_unref (future);
 * ```
 *
 * ## Looking at the outcome
 *
 * The value is a [struct@GObject.Value] that never changes once it is there and lives as
 * long as the future. [method@Future.result] waits and reads in one call;
 * [method@Future.get_value] and the typed readers such as [method@Future.get_int64] do
 * not wait. A future resolved without a value holds a `NULL` object, so a reader that
 * returns `NULL` has always set its error.
 *
 * An error that nobody ever looks at is logged as a warning when the last reference to
 * the future goes. A callback that is told counts as a look. Cancellation is not an error
 * in that sense, and [method@Future.ignore] says that nobody is going to look.
 *
 * ## Threads
 *
 * All methods may be called from any thread. Callbacks of
 * [method@Future.when_done] run in the main context they were given; direct callbacks run
 * on the thread that completes the future. Signals and property notifications are
 * emitted in the main context the future was created in, a job's in the one it was
 * submitted from, and only there: without a main context there are none.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-derivation-private.h"
#include "concur-enum-types.h"
#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-worker-private.h"

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (ConcurFuture, concur_future, G_TYPE_OBJECT,
                                  G_ADD_PRIVATE (ConcurFuture)
                                  G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT,
                                                         concur_future_init_result))

enum
{
  PROP_0,
  PROP_STATE,
  PROP_NAME,
  PROP_PROGRESS,
  PROP_STATUS_TEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

gint concur_future_private_offset;

#ifdef CONCUR_TESTING
_Atomic gint concur_futures_alive;
#define COUNT(n) atomic_fetch_add (&concur_futures_alive, (n))
#else
#define COUNT(n) G_STMT_START { } G_STMT_END
#endif

/* Callbacks and extra blocks are rare next to futures, and held for a few instructions:
 * shared locks cost nothing in memory and are hardly ever contended. */
#define N_STRIPES 64

static ConcurLock stripes[N_STRIPES];

ConcurLock *
concur_future_stripe (gpointer self)
{
  /* GSlice hands out addresses in steps of 16; the finer bits say nothing. */
  guintptr address = (guintptr) self >> 4;

  return &stripes[(address ^ (address >> 7)) % N_STRIPES];
}

static const GError *
cancelled_error (void)
{
  static GError *error;
  static gsize once;

  if (g_once_init_enter (&once))
    {
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
      g_once_init_leave (&once, 1);
    }

  return error;
}

static ConcurFutureState
public_state (guint32 state)
{
  switch (CONCUR_PHASE (state))
    {
    case CONCUR_PHASE_RUNNING:
      return CONCUR_FUTURE_STATE_RUNNING;
    case CONCUR_PHASE_RESOLVED:
      return CONCUR_FUTURE_STATE_RESOLVED;
    case CONCUR_PHASE_REJECTED:
      return CONCUR_FUTURE_STATE_REJECTED;
    case CONCUR_PHASE_CANCELLED:
      return CONCUR_FUTURE_STATE_CANCELLED;
    default:
      return CONCUR_FUTURE_STATE_PENDING;
    }
}

/* What @state, which is done, has for an error. */
static const GError *
stored_error (ConcurFuture *self,
              guint32       state)
{
  ConcurFuturePrivate *priv = concur_future_private (self);

  if (CONCUR_PHASE (state) == CONCUR_PHASE_RESOLVED)
    return NULL;

  /* ANSWERED may be set by an answer that comes too late to be written, so the phase
   * alone does not tell whether there is a value. READY without a value says the same. */
  if (CONCUR_PHASE (state) == CONCUR_PHASE_CANCELLED && !concur_value_is_error (&priv->value))
    return cancelled_error ();

  return g_value_get_boxed (&priv->value);
}

void
concur_future_observe (ConcurFuture *self,
                       guint32       state)
{
  if (!(state & CONCUR_STATE_OBSERVED))
    concur_atomic_or (&concur_future_private (self)->state, CONCUR_STATE_OBSERVED, CONCUR_RELAXED);
}

static void
tell_maker (ConcurFuture *self,
            guint32       before)
{
  if (before & CONCUR_STATE_TIMED)
    concur_delay_settled (self);

  if (before & CONCUR_STATE_ANSWERED)
    return;

  if (before & CONCUR_STATE_CHANNEL)
    concur_channel_future_cancelled (self);

  /* A job tells it when its work has ended, which may be later. */
  if ((before & CONCUR_STATE_LIMITED) && !CONCUR_IS_JOB (self))
    concur_limiter_future_cancelled (self);
}

void
concur_future_settled (ConcurFuture *self,
                       guint32       before,
                       gboolean      ends)
{
  if (before & (CONCUR_STATE_TIMED | CONCUR_STATE_CHANNEL | CONCUR_STATE_LIMITED))
    tell_maker (self, before);

  if (before & CONCUR_STATE_WAITERS)
    concur_unpark_all (&concur_future_private (self)->state);

  if (before & CONCUR_STATE_CALLBACKS)
    concur_future_run_callbacks (self);

  if (before & CONCUR_STATE_DERIVED)
    concur_derivation_settled (self);

  concur_future_notify_done (self, ends);

  /* What nobody runs has nothing more to do at home. A job gives its home up when it
   * ends, with what was submitted; one that was cancelled too early may be getting it at
   * this moment, in submit (), which then also ends it. */
  if ((CONCUR_PHASE (before) == CONCUR_PHASE_OPEN && !CONCUR_IS_JOB (self))
      || (before & CONCUR_STATE_CHANNEL))
    {
      ConcurHome *home = concur_future_steal_home (self, &before);

      if (home != NULL)
        concur_home_drop (home);
    }
}

static void
concur_future_get_property (GObject    *object,
                            guint       prop_id,
                            GValue     *value,
                            GParamSpec *pspec)
{
  ConcurFuture *self = CONCUR_FUTURE (object);

  switch (prop_id)
    {
    case PROP_STATE:
      g_value_set_enum (value, concur_future_get_state (self));
      break;
    case PROP_NAME:
      g_value_take_string (value, concur_future_dup_name (self));
      break;
    case PROP_PROGRESS:
      g_value_set_double (value, concur_future_get_progress (self));
      break;
    case PROP_STATUS_TEXT:
      g_value_take_string (value, concur_future_dup_status_text (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_future_set_property (GObject      *object,
                            guint         prop_id,
                            const GValue *value,
                            GParamSpec   *pspec)
{
  ConcurFuture *self = CONCUR_FUTURE (object);

  switch (prop_id)
    {
    case PROP_NAME:
      concur_future_set_name (self, g_value_get_string (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_future_finalize (GObject *object)
{
  ConcurFuture *self = CONCUR_FUTURE (object);
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_RELAXED);
  ConcurHome *home;

  if (CONCUR_PHASE (state) == CONCUR_PHASE_REJECTED && !(state & CONCUR_STATE_OBSERVED))
    {
      const GError *error = stored_error (self, state);
      g_autofree char *name = concur_future_dup_name (self);

      g_warning ("Nobody looked at the error of %s%s%s: %s", G_OBJECT_TYPE_NAME (self),
                 name != NULL ? " " : "", name != NULL ? name : "", error->message);
    }

  if (priv->callbacks != NULL)
    concur_future_drop_callbacks (self);
  home = concur_atomic_load (&priv->home, CONCUR_RELAXED);
  if (home != NULL)
    concur_home_drop (home);
  concur_future_free_extra (self);
  concur_value_clear (&priv->value);

  COUNT (-1);

  G_OBJECT_CLASS (concur_future_parent_class)->finalize (object);
}

static void
concur_future_class_init (ConcurFutureClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  guint i;

  concur_future_private_offset = ConcurFuture_private_offset;
  /* GIO makes it at the first use, and several workers may be the first at once. */
  (void) g_io_error_quark ();
  for (i = 0; i < N_STRIPES; i++)
    concur_lock_init (&stripes[i]);

  object_class->get_property = concur_future_get_property;
  object_class->set_property = concur_future_set_property;
  object_class->finalize = concur_future_finalize;

  /**
   * ConcurFuture:state: (getter get_state)
   *
   * Where the future stands. It is notified once more when the future gets done, after
   * all other notifications.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, CONCUR_TYPE_FUTURE_STATE,
                                              CONCUR_FUTURE_STATE_PENDING,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * ConcurFuture:name: (getter dup_name) (setter set_name)
   *
   * A name for people: shown in snapshots, logs and debuggers.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL,
                                               G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                                                 | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * ConcurFuture:progress: (getter get_progress)
   *
   * How much of the work is done, from 0 to 1, as the work last said; 0 while it has
   * said nothing.
   *
   * Since: 1.0
   */
  properties[PROP_PROGRESS] = g_param_spec_double ("progress", NULL, NULL, 0, 1, 0,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                     | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * ConcurFuture:status-text: (getter dup_status_text)
   *
   * What the work is doing, as it last said.
   *
   * Since: 1.0
   */
  properties[PROP_STATUS_TEXT] = g_param_spec_string ("status-text", NULL, NULL, NULL,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                        | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
  concur_future_init_notify (object_class);
}

static void
concur_future_init (ConcurFuture *self)
{
  /* The memory comes zeroed; only the state word has to be said to be initialised. */
  concur_atomic_init (&concur_future_private (self)->state, CONCUR_PHASE_OPEN);
  COUNT (1);
}

/* The future of a promise: nothing but a future. */
typedef struct
{
  ConcurFuture parent_instance;
} ConcurPlainFuture;

typedef struct
{
  ConcurFutureClass parent_class;
} ConcurPlainFutureClass;

static GType concur_plain_future_get_type (void) G_GNUC_CONST;

G_DEFINE_FINAL_TYPE (ConcurPlainFuture, concur_plain_future, CONCUR_TYPE_FUTURE)

static void
concur_plain_future_class_init (ConcurPlainFutureClass *klass)
{
}

static void
concur_plain_future_init (ConcurPlainFuture *self)
{
}

ConcurFuture *
concur_plain_future_new (void)
{
  ConcurFuture *self = g_object_new (concur_plain_future_get_type (), NULL);

  concur_atomic_init (&concur_future_private (self)->home, concur_home_hold_current ());

  return self;
}

/**
 * concur_future_get_state: (get-property state)
 * @self: a future
 *
 * Gets where the future stands.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
ConcurFutureState
concur_future_get_state (ConcurFuture *self)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), CONCUR_FUTURE_STATE_REJECTED);

  return public_state (concur_future_state (self));
}

/**
 * concur_future_is_done:
 * @self: a future
 *
 * Gets whether the future is resolved, rejected or cancelled.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
concur_future_is_done (ConcurFuture *self)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), TRUE);

  return CONCUR_PHASE_IS_DONE (concur_future_state (self));
}

gboolean
concur_future_park_until (ConcurFuture *self,
                          gint64        deadline)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_future_state (self);
  guint looks;

  for (looks = CONCUR_YIELDS_BEFORE_PARKING; looks > 0 && !CONCUR_PHASE_IS_DONE (state); looks--)
    {
      concur_yield ();
      state = concur_future_state (self);
    }

  while (!CONCUR_PHASE_IS_DONE (state))
    {
      guint32 parked = CONCUR_PLANTED_BUG ("lost-wakeup") ? state : state | CONCUR_STATE_WAITERS;

      /* Sequentially consistent with the move that makes the future done: it sees the
       * bit, or this fails and sees the future done. */
      if (parked != state && !concur_atomic_cas (&priv->state, &state, parked, CONCUR_SEQ_CST))
        continue;

      if (!concur_park (&priv->state, parked, deadline))
        return CONCUR_PHASE_IS_DONE (concur_future_state (self));

      state = concur_future_state (self);
    }

  return TRUE;
}

/**
 * concur_future_wait:
 * @self: a future
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 *
 * Waits until the future is done.
 *
 * Blocks the calling thread, whichever it is; no main loop is needed, and none is run.
 * On a worker of the executor that has the job queued, an untimed wait runs that job on
 * the spot; any other wait there lets the executor start a thread in place of the
 * waiting one. Before it returns, what the calling thread submitted and what has been
 * worked off since is released, see [func@release_pending].
 *
 * Returns %FALSE at once where waiting could never end: in a process that was forked
 * from the one that does the work, or when the work needs this very thread. That is so for
 * a job that waits for itself, for work bound to a main context that the calling thread
 * runs, as long as it is not done and not held, and for a future that derives only from
 * such; [method@Future.result] says so with %CONCUR_FUTURE_ERROR_WOULD_DEADLOCK, and
 * [method@Future.iterate] is the way to wait there. The future of a promise is never
 * refused.
 *
 * Returns: %TRUE if the future is done, whatever its outcome
 *
 * Since: 1.0
 */
gboolean
concur_future_wait (ConcurFuture *self,
                    gint64        timeout_us)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), FALSE);

  return concur_future_do_wait (self, timeout_us) == CONCUR_WAITED_DONE;
}

ConcurWaited
concur_future_do_wait (ConcurFuture *self,
                       gint64        timeout_us)
{
  guint32 state = concur_future_state (self);
  ConcurWaited waited;

  if (CONCUR_PHASE_IS_DONE (state))
    waited = CONCUR_WAITED_DONE;
  else if (concur_has_stopped ())
    waited = CONCUR_WAITED_STOPPED;
  else if (timeout_us == 0)
    waited = CONCUR_WAITED_TIMED_OUT;
  else if (((state & (CONCUR_STATE_BOUND | CONCUR_STATE_DERIVED))
            || concur_job_get_current () != NULL)
           && concur_derivation_would_deadlock (self))
    waited = CONCUR_WAITED_REFUSED;
  else
    waited = concur_worker_wait (self, timeout_us) ? CONCUR_WAITED_DONE : CONCUR_WAITED_TIMED_OUT;

  concur_home_serve (G_MAXUINT);

  return waited;
}

/**
 * concur_future_result:
 * @self: a future
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Waits like [method@Future.wait], then reads like [method@Future.get_value].
 *
 * When the time is over the error is %CONCUR_FUTURE_ERROR_TIMED_OUT, and the work goes
 * on. Where waiting could never end it is %CONCUR_FUTURE_ERROR_WOULD_DEADLOCK.
 *
 * Returns: (transfer none) (nullable): the value, valid as long as the future, or %NULL
 *   with @error set
 *
 * Since: 1.0
 */
const GValue *
concur_future_result (ConcurFuture  *self,
                      gint64         timeout_us,
                      GError       **error)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  switch (concur_future_do_wait (self, timeout_us))
    {
    case CONCUR_WAITED_DONE:
      break;
    case CONCUR_WAITED_TIMED_OUT:
      g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
                   "Not done after %" G_GINT64_FORMAT " ms", timeout_us / 1000);
      return NULL;
    case CONCUR_WAITED_STOPPED:
      concur_set_stopped_error (error);
      return NULL;
    case CONCUR_WAITED_REFUSED:
      g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
                           "Waiting here could never end, for the work needs this very thread: "
                           "ask to be called when it is done, or iterate its main context");
      return NULL;
    }

  if (!concur_future_do_check (self, error))
    return NULL;

  return &concur_future_private (self)->value;
}

/**
 * concur_future_check:
 * @self: a future
 * @error: return location for an error
 *
 * Looks whether the future is resolved, without waiting.
 *
 * Returns: %TRUE if it is; otherwise %FALSE with @error set to what went wrong, or to
 *   %CONCUR_FUTURE_ERROR_PENDING if it is not done yet
 *
 * Since: 1.0
 */
gboolean
concur_future_check (ConcurFuture  *self,
                     GError       **error)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return concur_future_do_check (self, error);
}

gboolean
concur_future_do_check (ConcurFuture  *self,
                        GError       **error)
{
  guint32 state = concur_future_state (self);

  if (CONCUR_PHASE (state) == CONCUR_PHASE_RESOLVED)
    return TRUE;

  if (!CONCUR_PHASE_IS_DONE (state))
    {
      g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING,
                           "Not done yet: wait for it, or ask to be called when it is");
      return FALSE;
    }

  concur_future_observe (self, state);
  if (error != NULL)
    *error = g_error_copy (stored_error (self, state));

  return FALSE;
}

/**
 * concur_future_get_value:
 * @self: a future
 * @error: return location for an error
 *
 * Reads the value of a future that is done, without waiting.
 *
 * A future resolved without a value has a `NULL` object here. If the future is not done
 * the error is %CONCUR_FUTURE_ERROR_PENDING.
 *
 * Returns: (transfer none) (nullable): the value, valid as long as the future, or %NULL
 *   with @error set
 *
 * Since: 1.0
 */
const GValue *
concur_future_get_value (ConcurFuture  *self,
                         GError       **error)
{
  g_return_val_if_fail (CONCUR_CHECK_FUTURE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!concur_future_do_check (self, error))
    return NULL;

  return &concur_future_private (self)->value;
}

/**
 * concur_future_get_error:
 * @self: a future
 *
 * Gets the error of a future that was rejected or cancelled.
 *
 * Returns: (transfer none) (nullable): the error, valid as long as the future, or %NULL
 *   if it is resolved or not done yet
 *
 * Since: 1.0
 */
const GError *
concur_future_get_error (ConcurFuture *self)
{
  guint32 state;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  state = concur_future_state (self);
  if (!CONCUR_PHASE_IS_DONE (state) || CONCUR_PHASE (state) == CONCUR_PHASE_RESOLVED)
    return NULL;

  concur_future_observe (self, state);

  return stored_error (self, state);
}

/**
 * concur_future_ignore:
 * @self: a future
 *
 * Says that nobody is going to look at the outcome, so an error is not to be logged.
 *
 * Since: 1.0
 */
void
concur_future_ignore (ConcurFuture *self)
{
  g_return_if_fail (CONCUR_IS_FUTURE (self));

  concur_future_observe (self, concur_future_state (self));
}
