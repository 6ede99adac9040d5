/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-executor.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_LOOP_THREAD (concur_loop_thread_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (ConcurLoopThread, concur_loop_thread, CONCUR, LOOP_THREAD, GObject)

/**
 * ConcurLoopThreadClass:
 * @run_loop: runs a loop over [property@LoopThread:context], on the thread, until
 *   @quit_loop is called. It has to dispatch the sources of that context, of which one
 *   tells that it runs. By default the context is iterated
 * @quit_loop: makes @run_loop return. Called once a run, on the thread, from a source
 *   that @run_loop dispatches, when all work is done. If @run_loop returns uncalled, the
 *   thread stops as if asked to
 *
 * The class structure of [class@LoopThread].
 *
 * Since: 1.0
 */
struct _ConcurLoopThreadClass
{
  /*< private >*/
  GObjectClass parent_class;

  /*< public >*/
  void (*run_loop)  (ConcurLoopThread *self);
  void (*quit_loop) (ConcurLoopThread *self);

  /*< private >*/
  gpointer padding[8];
};

CONCUR_AVAILABLE_IN_1_0
ConcurLoopThread *concur_loop_thread_new          (const char           *name) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurLoopThread *concur_loop_thread_dup_default  (GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_start        (ConcurLoopThread     *self,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_stop         (ConcurLoopThread     *self,
                                                   gint64                timeout_us,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
void              concur_loop_thread_stop_async   (ConcurLoopThread     *self,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_stop_finish  (ConcurLoopThread     *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_join         (ConcurLoopThread     *self,
                                                   gint64                timeout_us,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture     *concur_loop_thread_call         (ConcurLoopThread     *self,
                                                   ConcurJobFunc         func,
                                                   gpointer              user_data,
                                                   GDestroyNotify        destroy,
                                                   gint64                timeout_us,
                                                   GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
guint             concur_loop_thread_add_task     (ConcurLoopThread     *self,
                                                   ConcurJobFunc         func,
                                                   gpointer              user_data,
                                                   GDestroyNotify        destroy);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_remove_task  (ConcurLoopThread     *self,
                                                   guint                 id);
CONCUR_AVAILABLE_IN_1_0
ConcurExecutor   *concur_loop_thread_get_executor (ConcurLoopThread     *self);
CONCUR_AVAILABLE_IN_1_0
GMainContext     *concur_loop_thread_get_context  (ConcurLoopThread     *self);
CONCUR_AVAILABLE_IN_1_0
const char       *concur_loop_thread_get_name     (ConcurLoopThread     *self);
CONCUR_AVAILABLE_IN_1_0
guint             concur_loop_thread_get_max_workers (ConcurLoopThread  *self);
CONCUR_AVAILABLE_IN_1_0
ConcurLoopState   concur_loop_thread_get_state    (ConcurLoopThread     *self);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_loop_thread_is_current   (ConcurLoopThread     *self);

G_END_DECLS
