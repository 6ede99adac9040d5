/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Homes: see concur-home-private.h for what they are for.
 *
 * Life and death. A context's home belongs to a GSource in that context and dies with
 * it; whoever holds such a home in fact holds the GMainContext, so that waking it is
 * always safe. A thread's home is counted by itself and closed when the thread ends.
 * An item that lies in a home no longer holds it: otherwise a context that nobody runs
 * could never go away. What is left in a home that closes is let go by the thread that
 * closes it; what comes after, by the thread that brings it. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-home-private.h"
#include "concur-home-stack-private.h"

#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/* Below GTK's redraw (G_PRIORITY_HIGH_IDLE + 20), so that a flood of results never
 * stops drawing; above plain idle work. */
#define HOME_PRIORITY (G_PRIORITY_HIGH_IDLE + 30)

/* Items dealt with in one dispatch. 64 to 256 keep the gap of a 1 ms timer below 5 ms
 * under a flood of 1 µs callbacks; more only adds delay. */
#define HOME_BUDGET 128

struct _ConcurHome
{
  ConcurHomeFront front;

  /* immutable */
  gboolean is_thread;
  gboolean in_default_context;  /* of the first thread's: it has a source there */
  GThread *thread;              /* of a thread's home */

  /* atomic */
  _Atomic (GMainContext *) context; /* NULL once closed, and for a thread without one */
  ConcurHomeStack posts;              /* newest first, or CONCUR_HOME_CLOSED */
  ConcurWord sleeping;          /* the loop may be asleep: wake it */
  ConcurWord refs;
  ConcurWord rings;             /* the parker is in use */

  /* owner thread (the one that owns the context, or the thread itself) */
  ConcurHomeList old_posts;
  gboolean serving;
  gboolean turn_over;           /* see concur_home_end_turn () */

  ConcurParker parker;
};

typedef struct
{
  GSource source;
  ConcurHome *home;             /* owned */
} HomeSource;

/* A plain reference each, not a hold. */
_Thread_local ConcurHomeFront *concur_thread_home;
_Thread_local ConcurHomeFront *concur_recent_home;
#define thread_home (*(ConcurHome **) &concur_thread_home)
#define recent_home (*(ConcurHome **) &concur_recent_home)

static void thread_ended (gpointer data);
static GPrivate thread_home_key = G_PRIVATE_INIT (thread_ended);
static void recent_forgotten (gpointer data);
static GPrivate recent_home_key = G_PRIVATE_INIT (recent_forgotten);

static ConcurLock table_lock;   /* protects table; a leaf */
static GHashTable *table;       /* GMainContext → ConcurHome, neither counted */

#ifdef CONCUR_TESTING
_Atomic gint concur_homes_alive;
#define COUNT(n) atomic_fetch_add (&concur_homes_alive, (n))
#else
#define COUNT(n) G_STMT_START { } G_STMT_END
#endif

static ConcurHome *
home_new (void)
{
  ConcurHome *self = g_new0 (ConcurHome, 1);

  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->context, NULL);
  concur_atomic_init (&self->front.releases, NULL);
  concur_atomic_init (&self->front.left, FALSE);
  concur_atomic_init (&self->posts, NULL);
  concur_atomic_init (&self->sleeping, 0);
  concur_atomic_init (&self->rings, 0);
  concur_parker_init (&self->parker);
  self->front.old_releases.end = &self->front.old_releases.first;
  self->old_posts.end = &self->old_posts.first;
  COUNT (1);

  return self;
}

static void
home_ref (ConcurHome *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);
}

static void
home_unref (ConcurHome *self)
{
  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) == 1)
    {
      COUNT (-1);
      g_free (self);
    }
}

/* Not while they are being dealt with: a nested main loop would spin on them. */
static gboolean
home_has_releases (ConcurHome *self)
{
  if (self->serving || concur_leaves_all ())
    return FALSE;

  return self->front.old_releases.first != NULL
         || concur_home_stack_has_items (&self->front.releases);
}

static gboolean
home_has_posts (ConcurHome *self)
{
  return (self->old_posts.first != NULL || concur_home_stack_has_items (&self->posts))
         && !concur_leaves_all ();
}

static gboolean
home_has_items (gpointer self)
{
  return home_has_posts (self) || home_has_releases (self);
}

#ifdef CONCUR_DEBUG_STAMPS
static void
home_assert_here (ConcurHome *self)
{
  if (!concur_home_is_here (self))
    g_error ("a release for %s %p happened on thread %p",
             self->is_thread ? "thread" : "context",
             self->is_thread ? (gpointer) self->thread : (gpointer) self->context,
             (gpointer) g_thread_self ());
}
#else
#define home_assert_here(self) G_STMT_START { } G_STMT_END
#endif

/* On the owner thread. An item may submit and wait, and so come here again: the inner
 * call does nothing, for the outer one goes on. */
static guint
home_do_releases (ConcurHome *self,
                  guint       most)
{
  ConcurHomeItem *item;
  guint done = 0;

  if (self->serving)
    return 0;

  self->serving = TRUE;
  home_ref (self);

  if (self->front.old_releases.first == NULL)
    concur_home_stack_take (&self->front.releases, &self->front.old_releases, NULL);

  while (done < most && !concur_leaves_all ()
         && (item = concur_home_list_shift (&self->front.old_releases)) != NULL)
    {
      home_assert_here (self);
      concur_gate ();
      item->func (item, TRUE);
      done++;
    }

  concur_atomic_store (&self->front.left, self->front.old_releases.first != NULL, CONCUR_RELAXED);
  self->serving = FALSE;
  home_unref (self);

  return done;
}

static ConcurHomeItem *
home_next_post (ConcurHome *self)
{
  if (self->old_posts.first == NULL && concur_home_stack_has_items (&self->posts))
    concur_home_stack_take (&self->posts, &self->old_posts, NULL);

  return concur_home_list_shift (&self->old_posts);
}

/* A post may run a nested main loop, which comes here again: each round takes one item
 * off the list before it calls. What a post posts has its turn now too, within the
 * budget: each link of a chain would otherwise cost a turn of the loop. */
static void
home_do_posts (ConcurHome *self,
               guint       most)
{
  ConcurHomeItem *item;

  self->turn_over = FALSE;
  for (; most > 0 && !self->turn_over && !concur_leaves_all ()
         && (item = home_next_post (self)) != NULL;
       most--)
    {
      concur_gate ();
      item->func (item, TRUE);
    }
}

static void
home_close (ConcurHome *self)
{
  ConcurHomeItem *item;

  concur_gate ();
  if (concur_leaves_all ())
    return;

  concur_home_stack_take (&self->front.releases, &self->front.old_releases, CONCUR_HOME_CLOSED);
  while ((item = concur_home_list_shift (&self->front.old_releases)) != NULL)
    item->func (item, self->is_thread);

  concur_home_stack_take (&self->posts, &self->old_posts, CONCUR_HOME_CLOSED);
  while ((item = concur_home_list_shift (&self->old_posts)) != NULL)
    item->func (item, FALSE);
}

static gboolean
source_belongs_here (ConcurHome *self)
{
  return !self->is_thread || self->thread == g_thread_self ();
}

static gboolean
source_prepare (GSource *source,
                gint    *timeout)
{
  ConcurHome *self = ((HomeSource *) source)->home;

  *timeout = -1;

  return source_belongs_here (self)
         && concur_home_stack_prepare (&self->sleeping, home_has_items, self);
}

static gboolean
source_check (GSource *source)
{
  ConcurHome *self = ((HomeSource *) source)->home;

  return source_belongs_here (self) && home_has_items (self);
}

static gboolean
source_dispatch (GSource     *source,
                 GSourceFunc  func,
                 gpointer     data)
{
  ConcurHome *self = ((HomeSource *) source)->home;
  guint done;

  concur_atomic_store (&self->sleeping, 0, CONCUR_RELAXED);

  done = home_do_releases (self, HOME_BUDGET);
  home_do_posts (self, done < HOME_BUDGET ? HOME_BUDGET - done : 1);

  return G_SOURCE_CONTINUE;
}

static void
source_finalize (GSource *source)
{
  ConcurHome *self = ((HomeSource *) source)->home;

  if (!self->is_thread)
    {
      GMainContext *context = concur_atomic_load (&self->context, CONCUR_RELAXED);

      concur_lock_acquire (&table_lock);
      if (g_hash_table_lookup (table, context) == self)
        g_hash_table_remove (table, context);
      concur_lock_release (&table_lock);

      /* From here on is_here () is true for anybody: there is no better thread. */
      concur_atomic_store (&self->context, NULL, CONCUR_RELEASE);
      home_close (self);
    }

  home_unref (self);
}

static GSourceFuncs source_funcs = {
  .prepare = source_prepare,
  .check = source_check,
  .dispatch = source_dispatch,
  .finalize = source_finalize,
};

/* The source takes over the caller's reference. */
static void
home_attach (ConcurHome   *self,
             GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (HomeSource));

  ((HomeSource *) source)->home = self;
  g_source_set_static_name (source, "concur-home");
  g_source_set_priority (source, HOME_PRIORITY);
  /* A nested main loop inside a callback must still get its results. */
  g_source_set_can_recurse (source, TRUE);
  concur_atomic_store (&self->context, context, CONCUR_RELEASE);
  g_source_attach (source, context);
  g_source_unref (source);
}

/* The caller has a reference on @context, which keeps what is returned alive. */
static ConcurHome *
home_for_context (GMainContext *context)
{
  ConcurHome *self;
  gboolean created = FALSE;

  concur_lock_acquire (&table_lock);
  if (table == NULL)
    table = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (table, context);
  if (self == NULL)
    {
      self = home_new ();
      concur_atomic_store (&self->context, context, CONCUR_RELEASE);
      g_hash_table_insert (table, context, self);
      created = TRUE;
    }
  concur_lock_release (&table_lock);

  /* Outside the lock, because it wakes the context. Another thread may use the home
   * before: what it pushes is seen when the source is first prepared. */
  if (created)
    home_attach (self, context);

  return self;
}

static gboolean
thread_is_first (void)
{
#ifdef __linux__
  return (pid_t) syscall (SYS_gettid) == getpid ();
#else
  return FALSE;
#endif
}

static ConcurHome *
home_for_thread (void)
{
  ConcurHome *self = thread_home;

  if (G_LIKELY (self != NULL))
    return self;

  self = home_new ();
  self->is_thread = TRUE;
  self->thread = g_thread_self ();
  thread_home = self;
  g_private_set (&thread_home_key, self);

  /* main () often submits before it runs its loop. Nobody owns the default context
   * then, yet when this very thread comes to run it, it should be served. */
  if (thread_is_first ())
    {
      self->in_default_context = TRUE;
      home_ref (self);
      home_attach (self, g_main_context_default ());
    }

  return self;
}

static void
thread_close (ConcurHome *self)
{
  concur_atomic_store (&self->rings, 0, CONCUR_RELAXED);
  home_close (self);
  /* After home_close (): what is released there may submit again, to this home. */
  g_private_replace (&recent_home_key, NULL);
  thread_home = NULL;
  home_unref (self);
}

static void
thread_ended (gpointer data)
{
  thread_close (data);
}

void
concur_home_leave_thread (void)
{
  ConcurHome *self = thread_home;

  if (self == NULL)
    return;

  g_private_set (&thread_home_key, NULL);
  thread_close (self);
}

/* Also when the thread ends, which may not have a home of its own. */
static void
recent_forgotten (gpointer data)
{
  recent_home = NULL;
  home_unref (data);
}

static void
remember (ConcurHome *self)
{
  if (recent_home == self)
    return;

  home_ref (self);
  /* Lets the one before go. */
  g_private_replace (&recent_home_key, self);
  recent_home = self;
}

ConcurHome *
concur_home_hold (ConcurHome *self)
{
  if (self->is_thread)
    home_ref (self);
  else
    g_main_context_ref (concur_atomic_load (&self->context, CONCUR_RELAXED));

  return self;
}

void
concur_home_drop (ConcurHome *self)
{
  if (self->is_thread)
    home_unref (self);
  else
    g_main_context_unref (concur_atomic_load (&self->context, CONCUR_RELAXED));
}

/* NULL: it has none. */
static GMainContext *
thread_get_context (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  if (context != NULL)
    return context;

  context = g_main_context_default ();

  return g_main_context_is_owner (context) ? context : NULL;
}

gboolean
concur_home_thread_has_loop (void)
{
  return thread_get_context () != NULL;
}

ConcurHome *
concur_home_hold_current (void)
{
  GMainContext *context;
  ConcurHome *self;

  /* The first thread's own home is served by the default context as well, so which of
   * the two it is makes no difference, and asking who owns the context costs a lock. */
  if (thread_home != NULL && thread_home->in_default_context
      && g_main_context_get_thread_default () == NULL)
    context = NULL;
  else
    context = thread_get_context ();

  if (context == NULL)
    self = home_for_thread ();
  /* A home closes, and forgets its context, before that address can be used again. */
  else if (recent_home != NULL && !recent_home->is_thread
           && concur_atomic_load (&recent_home->context, CONCUR_RELAXED) == context)
    self = recent_home;
  else
    self = home_for_context (context);

  remember (self);

  return concur_home_hold (self);
}

ConcurHome *
concur_home_hold_to_submit (GMainContext *context)
{
  ConcurHome *self;

  if (recent_home != NULL && concur_atomic_load (&recent_home->context, CONCUR_RELAXED) == context
      && !recent_home->is_thread)
    return concur_home_hold (recent_home);

  self = home_for_context (context);
  if (thread_get_context () == context)
    remember (self);

  return concur_home_hold (self);
}

ConcurHome *
concur_home_hold_for_context (GMainContext *context)
{
  if (context == NULL)
    context = g_main_context_get_thread_default ();
  if (context == NULL)
    context = g_main_context_default ();

  g_main_context_ref (context);

  return home_for_context (context);
}

static void
home_bring (ConcurHome     *self,
            ConcurHomeStack      *stack,
            ConcurHomeItem *item)
{
  GMainContext *context = concur_atomic_load (&self->context, CONCUR_RELAXED);

  if (!concur_home_stack_push (stack, item))
    {
      concur_gate ();
      if (!concur_leaves_all ())
        item->func (item, FALSE);
    }
  else
    {
      if (context != NULL)
        concur_home_stack_wake (&self->sleeping, context);
      /* Again after the push. */
      if (concur_atomic_load (&self->rings, CONCUR_SEQ_CST))
        concur_parker_unpark (&self->parker);
    }

  concur_home_drop (self);
}

void
concur_home_release (ConcurHome     *self,
                     ConcurHomeItem *item)
{
  home_bring (self, &self->front.releases, item);
}

void
concur_home_post (ConcurHome     *self,
                  ConcurHomeItem *item)
{
  home_bring (self, &self->posts, item);
}

void
concur_home_end_turn (ConcurHome *self)
{
  self->turn_over = TRUE;
}

gboolean
concur_home_is_here (ConcurHome *self)
{
  GMainContext *context;

  if (self->is_thread)
    return self->thread == g_thread_self ();

  context = concur_atomic_load (&self->context, CONCUR_ACQUIRE);

  return context == NULL || g_main_context_is_owner (context);
}

gboolean
concur_home_context_is_here (GMainContext *context)
{
  gboolean here;

  /* One in the table exists: it leaves the table before it goes. */
  concur_lock_acquire (&table_lock);
  here = table != NULL && g_hash_table_contains (table, context)
         && g_main_context_is_owner (context);
  concur_lock_release (&table_lock);

  return here;
}

gboolean
concur_home_has_loop (ConcurHome *self)
{
  return concur_atomic_load (&self->context, CONCUR_RELAXED) != NULL;
}

guint
concur_home_serve_now (guint most)
{
  ConcurHome *own = thread_home;
  ConcurHome *recent = recent_home;
  guint done = 0;

  if (own != NULL && home_has_releases (own))
    done += home_do_releases (own, most);

  if (recent != NULL && recent != own && done < most
      && concur_home_front_has_items (&recent->front))
    {
      GMainContext *context = concur_atomic_load (&recent->context, CONCUR_ACQUIRE);

      /* Only a context that this thread keeps alive may be touched; one owned by another
       * thread is served there. */
      if (context != NULL
          && (context == g_main_context_get_thread_default () || context == g_main_context_default ())
          && g_main_context_acquire (context))
        {
          done += home_do_releases (recent, most - done);
          g_main_context_release (context);
        }
    }

  return done;
}

ConcurParker *
concur_home_get_parker (ConcurHome **home)
{
  ConcurHome *self = home_for_thread ();

  concur_atomic_store (&self->rings, 1, CONCUR_SEQ_CST);
  *home = concur_home_hold (self);

  return &self->parker;
}

void
concur_home_ring (ConcurHome *self)
{
  concur_parker_unpark (&self->parker);
  concur_home_drop (self);
}

/**
 * concur_release_pending:
 *
 * Lets go of what the calling thread submitted and what has been worked off since.
 *
 * User data, cancellables and the library's references to finished jobs are released
 * where the job was submitted: by the main loop of that thread, or, on a thread that
 * runs none, whenever it submits or waits. A thread that does neither for a long time
 * can call this function.
 *
 * Returns: how many finished jobs were let go
 *
 * Since: 1.0
 */
guint
concur_release_pending (void)
{
  return concur_home_serve_now (G_MAXUINT);
}
