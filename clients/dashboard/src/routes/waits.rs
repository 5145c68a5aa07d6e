//! Who waits for whom, and who talks to whom.

use actix_web::{HttpResponse, web};

use crate::shared::Shared;

pub(super) async fn waits(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.house.observer.waits())
}

pub(super) async fn flow(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.house.observer.flow())
}
