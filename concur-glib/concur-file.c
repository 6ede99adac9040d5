/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files as native jobs: a small job class that opens a file and hands a reader to the
 * one function that knows what to do with its bytes. The reader is where files differ
 * (local or not), where cancellation is looked at and where progress comes from. */

#include "config.h"

#include "concur-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much is read between two looks at cancellation. Large enough that system calls
 * do not show beside hashing or copying, small enough to stay in a core's own cache, to
 * be read from a slow disk in the blink of an eye, and to leave a hundred concurrent
 * jobs cheap. */
#define CHUNK (128 * 1024)

/* Files below /proc claim to have no bytes, so no buffer is smaller than this. */
#define SMALLEST_BUFFER 4096

typedef struct _ConcurFileJob ConcurFileJob;

typedef struct
{
  ConcurJob *job;
  GFile *file;
  const char *path;     /* of a local file; else NULL */
  int fd;               /* open for a local file; else -1 */
  GInputStream *stream; /* open for any other; else NULL */
  guint64 size;         /* as it was when opened: a hint, for it may grow, shrink or lie */
  guint64 done;
} FileReader;

struct _ConcurFileJob
{
  ConcurJob parent_instance;

  /* All set before submission, and not changed after it. */
  GFile *file;
  gboolean (*work) (ConcurFileJob *self,
                    FileReader    *reader,
                    GError       **error);
  GChecksumType checksum_type;
};

#define CONCUR_TYPE_FILE_JOB (concur_file_job_get_type ())
G_DECLARE_FINAL_TYPE (ConcurFileJob, concur_file_job, CONCUR, FILE_JOB, ConcurJob)

G_DEFINE_FINAL_TYPE (ConcurFileJob, concur_file_job, CONCUR_TYPE_JOB)

/* What messages call it: always UTF-8, whatever bytes its name has. */
static char *
dup_display_name (GFile *file)
{
  const char *path = g_file_peek_path (file);

  return path != NULL ? g_filename_display_name (path) : g_file_get_parse_name (file);
}

static void
set_errno_error (GError    **error,
                 GFile      *file,
                 const char *attempt,
                 int         saved_errno)
{
  g_autofree char *name = dup_display_name (file);

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
               "Could not %s “%s”: %s", attempt, name, g_strerror (saved_errno));
}

static void
set_too_large_error (GError **error,
                     GFile   *file,
                     guint64  size)
{
  g_autofree char *name = dup_display_name (file);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               "“%s” does not fit in memory (%" G_GUINT64_FORMAT " bytes)", name, size);
}

static gboolean
check_mode (GFile   *file,
            mode_t   mode,
            GError **error)
{
  g_autofree char *name = NULL;
  const char *kind = "a special file";

  if (S_ISREG (mode))
    return TRUE;

  name = dup_display_name (file);

  if (S_ISDIR (mode))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY,
                   "“%s” is a directory, not a regular file", name);
      return FALSE;
    }

  if (S_ISFIFO (mode))
    kind = "a FIFO";
  else if (S_ISSOCK (mode))
    kind = "a socket";
  else if (S_ISCHR (mode))
    kind = "a character device";
  else if (S_ISBLK (mode))
    kind = "a block device";

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
               "“%s” is %s, not a regular file", name, kind);
  return FALSE;
}

static gboolean
file_reader_open_local (FileReader *self,
                        GError    **error)
{
  struct stat info;

  /* Opening a device can do things (rewind a tape, raise a modem's line) and opening a
   * FIFO lets a writer go on, so look before. */
  if (stat (self->path, &info) != 0)
    {
      set_errno_error (error, self->file, "open", errno);
      return FALSE;
    }

  if (!check_mode (self->file, info.st_mode, error))
    return FALSE;

  /* It may have been replaced since. O_NONBLOCK keeps a FIFO from blocking this worker
   * until the second look. Regular files do not know the flag, save those that are
   * streams in disguise, such as /proc/kmsg: reading those must not block either. */
  do
    self->fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  while (self->fd < 0 && errno == EINTR);

  if (self->fd < 0 || fstat (self->fd, &info) != 0)
    {
      set_errno_error (error, self->file, "open", errno);
      return FALSE;
    }

  if (!check_mode (self->file, info.st_mode, error))
    return FALSE;

  self->size = (guint64) MAX (info.st_size, 0);
  return TRUE;
}

static gboolean
file_reader_open_remote (FileReader *self,
                         GError    **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (self->job);
  g_autoptr (GFileInfo) info = NULL;
  mode_t mode = S_IFREG;

  info = g_file_query_info (self->file,
                            G_FILE_ATTRIBUTE_STANDARD_TYPE "," G_FILE_ATTRIBUTE_STANDARD_SIZE,
                            G_FILE_QUERY_INFO_NONE, cancellable, error);
  if (info == NULL)
    return FALSE;

  /* A back end that does not know the type is believed to serve files. */
  switch (g_file_info_get_attribute_uint32 (info, G_FILE_ATTRIBUTE_STANDARD_TYPE))
    {
    case G_FILE_TYPE_DIRECTORY:
      mode = S_IFDIR;
      break;
    case G_FILE_TYPE_SPECIAL:
      mode = 0;
      break;
    default:
      break;
    }

  if (!check_mode (self->file, mode, error))
    return FALSE;

  self->size = g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_STANDARD_SIZE);
  self->stream = G_INPUT_STREAM (g_file_read (self->file, cancellable, error));
  return self->stream != NULL;
}

static gboolean
file_reader_open (FileReader *self,
                  GError    **error)
{
  if (concur_job_check_cancelled (self->job, error))
    return FALSE;

  if (self->path != NULL)
    return file_reader_open_local (self, error);

  return file_reader_open_remote (self, error);
}

static void
file_reader_close (FileReader *self)
{
  /* Nothing was written, so there is no error worth hearing. */
  if (self->fd >= 0)
    close (self->fd);

  g_clear_object (&self->stream);
}

/* Takes note of what was read, and passes it on. */
static gssize
file_reader_advance (FileReader *self,
                     gssize      n)
{
  if (n > 0 && self->size > CHUNK)
    {
      self->done += (guint64) n;
      concur_job_set_progress (self->job, MIN (1.0, (double) self->done / (double) self->size));
    }

  return n;
}

/* Reads up to @length bytes, but no more than a chunk. 0 at the end, -1 with @error. */
static gssize
file_reader_read (FileReader *self,
                  gpointer    buffer,
                  gsize       length,
                  GError    **error)
{
  gssize n;

  length = MIN (length, CHUNK);

  do
    {
      if (concur_job_check_cancelled (self->job, error))
        return -1;

      if (self->stream != NULL)
        {
          GCancellable *cancellable = concur_job_get_cancellable (self->job);

          n = g_input_stream_read (self->stream, buffer, length, cancellable, error);
          return file_reader_advance (self, n);
        }

      n = read (self->fd, buffer, length);
    }
  while (n < 0 && errno == EINTR);

  if (n < 0)
    set_errno_error (error, self->file, "read", errno);

  return file_reader_advance (self, n);
}

static gboolean
concur_file_job_run (ConcurJob *job,
                     GError   **error)
{
  ConcurFileJob *self = CONCUR_FILE_JOB (job);
  FileReader reader = {
    .job = job,
    .file = self->file,
    .path = g_file_peek_path (self->file),
    .fd = -1,
  };
  gboolean success;

  success = file_reader_open (&reader, error) && self->work (self, &reader, error);
  file_reader_close (&reader);

  return success;
}

static void
concur_file_job_finalize (GObject *object)
{
  ConcurFileJob *self = CONCUR_FILE_JOB (object);

  g_clear_object (&self->file);

  G_OBJECT_CLASS (concur_file_job_parent_class)->finalize (object);
}

static void
concur_file_job_class_init (ConcurFileJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ConcurJobClass *job_class = CONCUR_JOB_CLASS (klass);

  object_class->finalize = concur_file_job_finalize;

  job_class->run = concur_file_job_run;
}

static void
concur_file_job_init (ConcurFileJob *self)
{
}

static ConcurFileJob *
concur_file_job_new (GFile *file)
{
  ConcurFileJob *self = g_object_new (CONCUR_TYPE_FILE_JOB, NULL);
  const char *path = g_file_peek_path (file);
  g_autofree char *name = NULL;

  name = path != NULL ? g_filename_display_basename (path) : g_file_get_parse_name (file);
  concur_future_set_name (CONCUR_FUTURE (self), name);
  self->file = g_object_ref (file);

  return self;
}

static ConcurFuture *
concur_file_job_submit (ConcurFileJob  *self,
                        ConcurExecutor *executor,
                        GCancellable   *cancellable)
{
  if (executor == NULL)
    executor = concur_executor_get_default ();

  return concur_executor_submit_job (executor, CONCUR_JOB (self), cancellable);
}

static gboolean
digest_work (ConcurFileJob *self,
             FileReader    *reader,
             GError       **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (self->checksum_type);
  /* One byte more than the file has: a small file then ends within two reads, and
   * thousands of them touch a page each instead of a chunk. */
  gsize buffer_size = (gsize) CLAMP (reader->size + 1, SMALLEST_BUFFER, CHUNK);
  g_autofree guchar *buffer = g_malloc (buffer_size);
  gssize n;

  while ((n = file_reader_read (reader, buffer, buffer_size, error)) > 0)
    g_checksum_update (checksum, buffer, n);

  if (n < 0)
    return FALSE;

  concur_job_return_string (CONCUR_JOB (self), g_checksum_get_string (checksum));
  return TRUE;
}

/**
 * concur_file_digest:
 * @file: a file
 * @checksum_type: which checksum
 * @executor: (nullable): where the work is done; %NULL for
 *   [func@Executor.get_default]
 * @cancellable: (nullable): cancels the work, unless it is done
 *
 * Computes the checksum of what @file contains, without stopping the caller.
 *
 * The value of the future is a string: the digest in lower-case hexadecimal digits, as
 * [method@GLib.Checksum.get_string] and tools such as `sha256sum` give it.
 *
 * ```c
 * static void
 * digest_done (ConcurFuture *future,
 *              gpointer      user_data)
 * {
 *   g_autoptr (GError) error = NULL;
 *   g_autofree char *digest = concur_future_dup_string (future, &error);
 *
 *   gtk_label_set_text (GTK_LABEL (user_data), digest != NULL ? digest : error->message);
 * }
 *
 * static void
 * show_digest (GFile        *file,
 *              GtkLabel     *label,
 *              GCancellable *cancellable)
 * {
 *   g_autoptr (ConcurFuture) future = NULL;
 *
 *   future = concur_file_digest (file, G_CHECKSUM_SHA256, NULL, cancellable);
 *   concur_future_when_done (future, digest_done, g_object_ref (label), g_object_unref, NULL);
 * }
 * ```
 *
 * Only regular files have a digest; symbolic links are followed. A FIFO, a socket or a
 * device is refused without being opened, so that it never blocks a worker. A file that
 * grows while it is read is read to its end, one that shrinks to its new end, and one
 * that says it is empty is not believed (those below `/proc` do). Bytes are read in
 * chunks, with a look at cancellation before each. Files larger than one chunk report
 * their progress.
 *
 * The future is rejected with a [error@Gio.IOErrorEnum] whose message names the file:
 * %G_IO_ERROR_NOT_FOUND, %G_IO_ERROR_PERMISSION_DENIED, %G_IO_ERROR_IS_DIRECTORY,
 * %G_IO_ERROR_NOT_REGULAR_FILE or whatever else the system answered, and
 * %G_IO_ERROR_CANCELLED after cancellation. It is rejected with a
 * [error@Concur.ExecutorError] if @executor takes no more work.
 *
 * It may be called on any thread. The file is opened and read on a thread of @executor.
 * The future keeps @file as long as it lives; @cancellable is released where the executor
 * releases what was submitted to it, usually in the caller's main context.
 *
 * Returns: (transfer full): a future of a string
 *
 * Since: 1.0
 */
ConcurFuture *
concur_file_digest (GFile          *file,
                    GChecksumType   checksum_type,
                    ConcurExecutor *executor,
                    GCancellable   *cancellable)
{
  g_autoptr (ConcurFileJob) job = NULL;

  g_return_val_if_fail (G_IS_FILE (file), NULL);
  g_return_val_if_fail (g_checksum_type_get_length (checksum_type) >= 0, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  job = concur_file_job_new (file);
  job->work = digest_work;
  job->checksum_type = checksum_type;

  return concur_file_job_submit (job, executor, cancellable);
}

static gboolean
load_bytes_work (ConcurFileJob *self,
                 FileReader    *reader,
                 GError       **error)
{
  g_autofree guint8 *data = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize allocated;
  gsize length = 0;

  if (reader->size >= G_MAXSSIZE)
    {
      set_too_large_error (error, reader->file, reader->size);
      return FALSE;
    }

  /* One byte more than the file has, so that a file that kept its size is known to have
   * ended without the buffer having to grow first. */
  allocated = MAX ((gsize) reader->size + 1, SMALLEST_BUFFER);
  data = g_try_malloc (allocated);

  while (data != NULL)
    {
      gssize n = file_reader_read (reader, data + length, allocated - length, error);
      guint8 *larger;

      if (n < 0)
        return FALSE;
      if (n == 0)
        break;

      length += (gsize) n;
      if (length < allocated)
        continue;

      larger = allocated <= G_MAXSSIZE / 2 ? g_try_realloc (data, allocated * 2) : NULL;
      if (larger == NULL)
        {
          set_too_large_error (error, reader->file, length);
          return FALSE;
        }

      data = larger;
      allocated *= 2;
    }

  if (data == NULL)
    {
      set_too_large_error (error, reader->file, reader->size);
      return FALSE;
    }

  if (length < allocated)
    data = g_realloc (data, MAX (length, 1));
  bytes = g_bytes_new_take (g_steal_pointer (&data), length);
  concur_job_return_bytes (CONCUR_JOB (self), bytes);
  return TRUE;
}

/**
 * concur_file_load_bytes:
 * @file: a file
 * @executor: (nullable): where the work is done; %NULL for
 *   [func@Executor.get_default]
 * @cancellable: (nullable): cancels the work, unless it is done
 *
 * Loads all @file contains, without stopping the caller.
 *
 * The value of the future is a [struct@GLib.Bytes]. It holds the bytes of the file and
 * nothing else: there is no terminating zero.
 *
 * ```c
 * g_autoptr (GFile) file = g_file_new_for_path ("/etc/os-release");
 * g_autoptr (ConcurFuture) future = concur_file_load_bytes (file, NULL, NULL);
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GBytes) bytes = NULL;
 *
 * // … something else meanwhile, and then:
 * if (concur_future_wait (future, G_USEC_PER_SEC))
 *   bytes = concur_future_dup_bytes (future, &error);
 * ```
 *
 * What is read, what is refused, what happens to a file that changes meanwhile, progress,
 * errors and threads are as [func@file_digest] has them. In addition, a file that
 * does not fit in memory is refused with %G_IO_ERROR_NO_SPACE.
 *
 * Returns: (transfer full): a future of a [struct@GLib.Bytes]
 *
 * Since: 1.0
 */
ConcurFuture *
concur_file_load_bytes (GFile          *file,
                        ConcurExecutor *executor,
                        GCancellable   *cancellable)
{
  g_autoptr (ConcurFileJob) job = NULL;

  g_return_val_if_fail (G_IS_FILE (file), NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  job = concur_file_job_new (file);
  job->work = load_bytes_work;

  return concur_file_job_submit (job, executor, cancellable);
}
