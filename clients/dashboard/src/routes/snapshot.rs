//! Everything that the overview shows, at once.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::guards::token::who;
use crate::shared::Shared;

pub(super) async fn get(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.view(who(&request).is_some()))
}
