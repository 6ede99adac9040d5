/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of reading files share: a file that is not local, a directory of files, and
 * what is to become of the jobs. */

#pragma once

#include <concur.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Each test ends by itself; should one not, the whole ends here. */
#define TIME_LIMIT_SECONDS 300

/* Longer than anything here takes, even under a sanitizer on a busy machine. */
#define WAIT_US (60 * G_USEC_PER_SEC)

/* What a reader takes at a time, as concur-file.c has it. Should that change, these tests
 * still hold, but no longer try the sizes where mistakes would be. */
#define CHUNK (128 * 1024)

/* A file that is not local: it exists here only. It says whatever size and type it is
 * told to say, and when asked to, its stream gives one byte and then waits until the read
 * is cancelled. */

#define TEST_TYPE_FAKE_STREAM (test_fake_stream_get_type ())
G_DECLARE_FINAL_TYPE (TestFakeStream, test_fake_stream, TEST, FAKE_STREAM, GFileInputStream)

struct _TestFakeStream
{
  GFileInputStream parent_instance;

  GBytes *content;
  gsize position;
  gboolean endless;
};

G_DEFINE_FINAL_TYPE (TestFakeStream, test_fake_stream, G_TYPE_FILE_INPUT_STREAM)

static inline gssize
test_fake_stream_read (GInputStream *stream,
                       void         *buffer,
                       gsize         count,
                       GCancellable *cancellable,
                       GError      **error)
{
  TestFakeStream *self = TEST_FAKE_STREAM (stream);
  gsize size;
  const char *data = g_bytes_get_data (self->content, &size);

  if (self->endless && self->position > 0)
    {
      GPollFD fd;

      g_assert_true (g_cancellable_make_pollfd (cancellable, &fd));
      g_assert_cmpint (g_poll (&fd, 1, WAIT_US / 1000), ==, 1);
      g_cancellable_release_fd (cancellable);
      g_assert_true (g_cancellable_set_error_if_cancelled (cancellable, error));
      return -1;
    }

  count = MIN (count, size - self->position);
  memcpy (buffer, data + self->position, count);
  self->position += count;

  return (gssize) count;
}

static inline void
test_fake_stream_finalize (GObject *object)
{
  TestFakeStream *self = TEST_FAKE_STREAM (object);

  g_bytes_unref (self->content);

  G_OBJECT_CLASS (test_fake_stream_parent_class)->finalize (object);
}

static inline void
test_fake_stream_class_init (TestFakeStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_fake_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = test_fake_stream_read;
}

static inline void
test_fake_stream_init (TestFakeStream *self)
{
}

#define TEST_TYPE_FAKE_FILE (test_fake_file_get_type ())
G_DECLARE_FINAL_TYPE (TestFakeFile, test_fake_file, TEST, FAKE_FILE, GObject)

struct _TestFakeFile
{
  GObject parent_instance;

  GBytes *content;
  GFileType type;
  goffset size;
  gboolean endless;
};

static inline char *
test_fake_file_get_path (GFile *file)
{
  return NULL;
}

static inline char *
test_fake_file_get_parse_name (GFile *file)
{
  return g_strdup ("fake:///one");
}

static inline GFileInfo *
test_fake_file_query_info (GFile              *file,
                           const char         *attributes,
                           GFileQueryInfoFlags flags,
                           GCancellable       *cancellable,
                           GError            **error)
{
  GFileInfo *info = g_file_info_new ();

  g_file_info_set_file_type (info, TEST_FAKE_FILE (file)->type);
  g_file_info_set_size (info, TEST_FAKE_FILE (file)->size);

  return info;
}

static inline GFileInputStream *
test_fake_file_read (GFile        *file,
                     GCancellable *cancellable,
                     GError      **error)
{
  TestFakeFile *self = TEST_FAKE_FILE (file);
  TestFakeStream *stream = g_object_new (TEST_TYPE_FAKE_STREAM, NULL);

  stream->content = g_bytes_ref (self->content);
  stream->endless = self->endless;

  return G_FILE_INPUT_STREAM (stream);
}

static inline void
test_fake_file_iface_init (GFileIface *iface)
{
  iface->get_path = test_fake_file_get_path;
  iface->get_parse_name = test_fake_file_get_parse_name;
  iface->query_info = test_fake_file_query_info;
  iface->read_fn = test_fake_file_read;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestFakeFile, test_fake_file, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_FILE, test_fake_file_iface_init))

static inline void
test_fake_file_finalize (GObject *object)
{
  g_bytes_unref (TEST_FAKE_FILE (object)->content);

  G_OBJECT_CLASS (test_fake_file_parent_class)->finalize (object);
}

static inline void
test_fake_file_class_init (TestFakeFileClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_fake_file_finalize;
}

static inline void
test_fake_file_init (TestFakeFile *self)
{
  self->type = G_FILE_TYPE_REGULAR;
}

static inline TestFakeFile *
test_fake_file_new (GBytes *content)
{
  TestFakeFile *self = g_object_new (TEST_TYPE_FAKE_FILE, NULL);

  self->content = g_bytes_ref (content);
  self->size = (goffset) g_bytes_get_size (content);

  return self;
}

/* The fixture: a directory of one's own, and an executor with one thread, so that
 * whatever blocks a worker stops everything. */

typedef struct
{
  char *directory;
  ConcurExecutor *executor;
} Fixture;

static inline void
set_up (Fixture      *fixture,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->directory = g_dir_make_tmp ("concur-file-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
}

static inline void
tear_down (Fixture      *fixture,
           gconstpointer data)
{
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autoptr (GDir) dir = g_dir_open (fixture->directory, 0, NULL);
  const char *name;

  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  g_object_unref (fixture->executor);

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

      g_assert_no_errno (g_remove (path));
    }

  g_assert_no_errno (g_rmdir (fixture->directory));
  g_free (fixture->directory);
}

static inline GFile *
get_file (Fixture    *fixture,
          const char *name)
{
  return g_file_new_build_filename (fixture->directory, name, NULL);
}

/* Bytes that differ from chunk to chunk. */
static inline GBytes *
make_content (gsize size)
{
  guint8 *data = g_malloc (size + 1);
  guint32 state = 2463534242u;

  for (gsize i = 0; i < size; i++)
    {
      state = state * 1664525u + 1013904223u;
      data[i] = (guint8) (state >> 24);
    }

  return g_bytes_new_take (data, size);
}

static inline GFile *
make_file (Fixture    *fixture,
           const char *name,
           GBytes     *content)
{
  g_autoptr (GError) error = NULL;
  GFile *file = get_file (fixture, name);

  g_file_set_contents (g_file_peek_path (file), g_bytes_get_data (content, NULL),
                       (gssize) g_bytes_get_size (content), &error);
  g_assert_no_error (error);

  return file;
}

/* A file of zeros that takes no space and no time to make. */
static inline GFile *
make_sparse_file (Fixture    *fixture,
                  const char *name,
                  off_t       size)
{
  GFile *file = get_file (fixture, name);
  int fd = open (g_file_peek_path (file), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_no_errno (fd);
  g_assert_no_errno (ftruncate (fd, size));
  g_assert_no_errno (close (fd));

  return file;
}

static inline void
set_flag (ConcurFuture *future,
          gpointer      user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* As a program with a main loop waits: handlers of signals run meanwhile. */
static inline void
iterate_until_done (ConcurFuture *future)
{
  gboolean done = FALSE;

  concur_future_when_done (future, set_flag, &done, NULL, NULL);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
}

/* Jobs submitted between these two start when signal handlers are connected, not before. */
static inline void
pause_executor (Fixture *fixture)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (fixture->executor), TRUE);
}

static inline void
resume_executor (Fixture *fixture)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (fixture->executor), FALSE);
}
