/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-enums.h"
#include "concur-types.h"
#include "concur-version-macros.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_FUTURE            (concur_future_get_type ())
#define CONCUR_FUTURE(obj)            (G_TYPE_CHECK_INSTANCE_CAST ((obj), CONCUR_TYPE_FUTURE, ConcurFuture))
#define CONCUR_IS_FUTURE(obj)         (G_TYPE_CHECK_INSTANCE_TYPE ((obj), CONCUR_TYPE_FUTURE))
#define CONCUR_FUTURE_CLASS(klass)    (G_TYPE_CHECK_CLASS_CAST ((klass), CONCUR_TYPE_FUTURE, ConcurFutureClass))
#define CONCUR_IS_FUTURE_CLASS(klass) (G_TYPE_CHECK_CLASS_TYPE ((klass), CONCUR_TYPE_FUTURE))
#define CONCUR_FUTURE_GET_CLASS(obj)  (G_TYPE_INSTANCE_GET_CLASS ((obj), CONCUR_TYPE_FUTURE, ConcurFutureClass))

typedef struct _ConcurFutureClass ConcurFutureClass;

struct _ConcurFuture
{
  GObject parent_instance;
};

/**
 * ConcurFutureClass:
 *
 * The class structure of [class@Future]. Futures are made by the library; other code
 * derives from [class@Job].
 *
 * Since: 1.0
 */
struct _ConcurFutureClass
{
  /*< private >*/
  GObjectClass parent_class;

  gpointer padding[8];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConcurFuture, g_object_unref)

/**
 * ConcurFutureFunc:
 * @future: the future, which is done
 * @user_data: (closure): what was given with the function
 *
 * Told that a future is done. On which thread is said where it is given.
 *
 * Since: 1.0
 */
typedef void (*ConcurFutureFunc) (ConcurFuture *future,
                                  gpointer      user_data);

CONCUR_AVAILABLE_IN_1_0
GType             concur_future_get_type            (void) G_GNUC_CONST;

CONCUR_AVAILABLE_IN_1_0
ConcurFutureState concur_future_get_state           (ConcurFuture         *self);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_future_is_done             (ConcurFuture         *self);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_future_wait                (ConcurFuture         *self,
                                                     gint64                timeout_us);
CONCUR_AVAILABLE_IN_1_0
const GValue     *concur_future_result              (ConcurFuture         *self,
                                                     gint64                timeout_us,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
const GValue     *concur_future_get_value           (ConcurFuture         *self,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_future_check               (ConcurFuture         *self,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
const GError     *concur_future_get_error           (ConcurFuture         *self);

CONCUR_AVAILABLE_IN_1_0
char             *concur_future_dup_string          (ConcurFuture         *self,
                                                     GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GObject          *concur_future_dup_object          (ConcurFuture         *self,
                                                     GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GBytes           *concur_future_dup_bytes           (ConcurFuture         *self,
                                                     GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GVariant         *concur_future_dup_variant         (ConcurFuture         *self,
                                                     GError              **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gint64            concur_future_get_int64           (ConcurFuture         *self,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
double            concur_future_get_double          (ConcurFuture         *self,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_future_get_boolean         (ConcurFuture         *self,
                                                     GError              **error);

CONCUR_AVAILABLE_IN_1_0
void              concur_future_wait_async          (ConcurFuture         *self,
                                                     GCancellable         *cancellable,
                                                     GAsyncReadyCallback   callback,
                                                     gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
const GValue     *concur_future_wait_finish         (ConcurFuture         *self,
                                                     GAsyncResult         *result,
                                                     GError              **error);
CONCUR_AVAILABLE_IN_1_0
gulong            concur_future_when_done           (ConcurFuture         *self,
                                                     ConcurFutureFunc      func,
                                                     gpointer              user_data,
                                                     GDestroyNotify        destroy,
                                                     GMainContext         *context);
CONCUR_AVAILABLE_IN_1_0
gulong            concur_future_add_direct_callback (ConcurFuture         *self,
                                                     ConcurFutureFunc      func,
                                                     gpointer              user_data,
                                                     GDestroyNotify        destroy);
CONCUR_AVAILABLE_IN_1_0
void              concur_future_disconnect_done     (ConcurFuture         *self,
                                                     gulong                id);

CONCUR_AVAILABLE_IN_1_0
gboolean          concur_future_cancel              (ConcurFuture         *self,
                                                     ConcurCancelFlags     flags);
CONCUR_AVAILABLE_IN_1_0
void              concur_future_ignore              (ConcurFuture         *self);

CONCUR_AVAILABLE_IN_1_0
void              concur_future_set_name            (ConcurFuture         *self,
                                                     const char           *name);
CONCUR_AVAILABLE_IN_1_0
char             *concur_future_dup_name            (ConcurFuture         *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
double            concur_future_get_progress        (ConcurFuture         *self);
CONCUR_AVAILABLE_IN_1_0
char             *concur_future_dup_status_text     (ConcurFuture         *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
