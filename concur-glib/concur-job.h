/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-future.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_JOB            (concur_job_get_type ())
#define CONCUR_JOB(obj)            (G_TYPE_CHECK_INSTANCE_CAST ((obj), CONCUR_TYPE_JOB, ConcurJob))
#define CONCUR_IS_JOB(obj)         (G_TYPE_CHECK_INSTANCE_TYPE ((obj), CONCUR_TYPE_JOB))
#define CONCUR_JOB_CLASS(klass)    (G_TYPE_CHECK_CLASS_CAST ((klass), CONCUR_TYPE_JOB, ConcurJobClass))
#define CONCUR_IS_JOB_CLASS(klass) (G_TYPE_CHECK_CLASS_TYPE ((klass), CONCUR_TYPE_JOB))
#define CONCUR_JOB_GET_CLASS(obj)  (G_TYPE_INSTANCE_GET_CLASS ((obj), CONCUR_TYPE_JOB, ConcurJobClass))

typedef struct _ConcurJobClass ConcurJobClass;

struct _ConcurJob
{
  ConcurFuture parent_instance;
};

/**
 * ConcurJobClass:
 * @run: does the work, on the executor's thread. It answers with one of the
 *   `concur_job_return_*` functions, sets the error, or calls [method@Job.hold] to
 *   answer later. What it returns says only whether it set @error
 * @done: called once when the job is done, if [method@Job.watch] asked for it, on the
 *   completing thread; like a direct callback it must be quick and must not wait. The
 *   default does nothing
 * @release: (nullable): lets go of what @run needed. Called once, of a job that was
 *   submitted, when it is done and its function has returned, or it was dropped: where
 *   the user data of [method@Executor.submit] would be freed, at home, or on the worker
 *   with %CONCUR_RELEASE_WORKER. It comes after @done, except when a direct callback
 *   makes the job done: that one's turn may come first. The base class has none, so do
 *   not chain up to it
 *
 * The class structure of [class@Job].
 *
 * Since: 1.0
 */
struct _ConcurJobClass
{
  /*< private >*/
  ConcurFutureClass parent_class;

  /*< public >*/
  gboolean (*run) (ConcurJob  *self,
                   GError    **error);
  void     (*done) (ConcurJob  *self);
  void     (*release) (ConcurJob *self);

  /*< private >*/
  gpointer padding[8];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConcurJob, g_object_unref)

/**
 * ConcurJobFunc:
 * @job: the job
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Does the work of a job, on a thread of the executor. It answers by one of the
 * `concur_job_return_*` functions, such as [method@Job.return_int64]; returning %TRUE
 * without having answered is an error of its own,
 * %CONCUR_FUTURE_ERROR_BROKEN_PROMISE. Work that ends later calls [method@Job.hold]
 * before it returns and answers when it can.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurJobFunc) (ConcurJob  *job,
                                   gpointer    user_data,
                                   GError    **error);

CONCUR_AVAILABLE_IN_1_0
GType           concur_job_get_type               (void) G_GNUC_CONST;
CONCUR_AVAILABLE_IN_1_0
ConcurJob      *concur_job_new                    (ConcurJobFunc    func,
                                                   gpointer         user_data,
                                                   GDestroyNotify   destroy) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurJob      *concur_job_get_current            (void);
CONCUR_AVAILABLE_IN_1_0
ConcurPriority  concur_job_get_priority           (ConcurJob       *self);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_set_priority           (ConcurJob       *self,
                                                   ConcurPriority   priority);

CONCUR_AVAILABLE_IN_1_0
gboolean        concur_job_is_cancelled           (ConcurJob       *self);
CONCUR_AVAILABLE_IN_1_0
gboolean        concur_job_check_cancelled        (ConcurJob       *self,
                                                   GError         **error);
CONCUR_AVAILABLE_IN_1_0
GCancellable   *concur_job_get_cancellable        (ConcurJob       *self);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_set_progress           (ConcurJob       *self,
                                                   double           fraction);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_set_status_text        (ConcurJob       *self,
                                                   const char      *text);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_hold                   (ConcurJob       *self);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_watch                  (ConcurJob       *self);

CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_value           (ConcurJob       *self,
                                                   const GValue    *value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_string          (ConcurJob       *self,
                                                   const char      *value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_object          (ConcurJob       *self,
                                                   GObject         *value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_bytes           (ConcurJob       *self,
                                                   GBytes          *value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_variant         (ConcurJob       *self,
                                                   GVariant        *value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_int64           (ConcurJob       *self,
                                                   gint64           value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_double          (ConcurJob       *self,
                                                   double           value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_boolean         (ConcurJob       *self,
                                                   gboolean         value);
CONCUR_AVAILABLE_IN_1_0
void            concur_job_return_error           (ConcurJob       *self,
                                                   const GError    *error);

CONCUR_AVAILABLE_IN_1_0
void            concur_job_execute                (ConcurJob       *self);

G_END_DECLS
